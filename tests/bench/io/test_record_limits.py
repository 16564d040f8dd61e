"""Every record that is written can be read again: texts from outside are shortened, measurements never change."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.io.record_limits import readable
from edge_bench.bench.records.journal.entries import ConfigurationFailed, Entry, FindingAdded, ProcessStarted
from edge_bench.bench.records.journal.journal import Journal, read_journal
from edge_bench.bench.records.run import Failure, Run
from edge_bench.bench.records.run_files import read_run, write_run
from edge_bench.bench.system.machine import Finding
from tests.factories import result, run
from tests.fuzz import seeds
from tests.struct_paths import replaced, texts

TOO_LONG = "n" * 300_000


def whole() -> Run:
    return seeds.runs()[0]


def test_a_record_within_the_limits_is_returned_unchanged() -> None:
    made = whole()
    assert readable(made) is made


#: Texts that only edge-bench itself makes.
OWN = ("schema_version", "began", "dtype", "data", "source")
OUTSIDE = [place for place in texts(whole()) if place[-1] not in OWN]


@pytest.mark.parametrize("place", OUTSIDE, ids=lambda place: ".".join(map(str, place)))
def test_a_run_with_a_text_that_is_too_long_is_written_with_it_shortened(
    tmp_path: Path, place: tuple[Any, ...]
) -> None:
    hostile = replaced(whole(), place, TOO_LONG)
    path = write_run(hostile, tmp_path)
    found = read_run(path)
    assert [finding for finding in found.findings if "shortened" in finding.what]
    assert len(path.read_bytes()) < 300_000
    assert [each.trials for each in found.results] == [each.trials for each in whole().results]
    assert [each.predictions for each in found.results] == [each.predictions for each in whole().results]
    assert readable(found) is found, "once is enough"


def test_lists_of_texts_and_names_that_are_not_utf_8_are_shortened_too(tmp_path: Path) -> None:
    made = whole()
    made = msgspec.structs.replace(
        made,
        bundle=msgspec.structs.replace(made.bundle, model="\udcff" * 60_000),
        images=msgspec.structs.replace(made.images, notes=[f"note {number}" for number in range(5000)]),
    )
    found = read_run(write_run(made, tmp_path))
    assert len(found.images.notes) == 4096
    assert found.images.notes[-1] == "and 905 more"
    assert found.bundle.model.startswith("\\xff\\xff")


def test_there_is_room_for_the_finding_among_the_most_that_a_run_may_have(tmp_path: Path) -> None:
    findings = [Finding(what=what, remedy="", spoils=True) for what in [TOO_LONG, *["busy"] * 4095]]
    made = msgspec.structs.replace(whole(), findings=findings)
    found = read_run(write_run(made, tmp_path))
    assert len(found.findings) == 4096
    assert not found.findings[-1].spoils


@pytest.mark.parametrize(
    "change",
    [
        {"wall_seconds": float("nan")},
        {"results": [msgspec.structs.replace(result("a", "b", 1.0), trials=[])] * 4097},
        {"began": "yesterday"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_run_that_could_not_be_read_for_another_reason_is_not_written(tmp_path: Path, change: dict[str, Any]) -> None:
    made = msgspec.structs.replace(run(result("dynamic", "litert", 1.0)), **change)
    with pytest.raises((ResultsError, ValueError)):
        write_run(made, tmp_path)
    assert not list(tmp_path.iterdir())


def test_another_record_with_a_number_that_could_not_be_read_is_refused() -> None:
    class Small(msgspec.Struct):
        number: Annotated[int, msgspec.Meta(ge=0)]
        schema_version: str = "2.0"

    with pytest.raises(BadInput):
        encode_record(Small(-1))
    assert b'"number": 1' in encode_record(Small(1))


def test_entries_of_a_journal_are_shortened_and_read_again(tmp_path: Path) -> None:
    begun, *entries = seeds.journals()[0]
    hostile: list[Entry] = [
        ConfigurationFailed(number=2, failure=Failure(kind="crashed", message=TOO_LONG, remedy=TOO_LONG)),
        FindingAdded(finding=Finding(what=TOO_LONG, remedy="", spoils=True)),
        *(
            msgspec.structs.replace(entry, delegate=TOO_LONG, warnings=["odd"] * 5000)
            for entry in entries
            if isinstance(entry, ProcessStarted)
        ),
    ]
    path = tmp_path / "run-x.journal"
    started: Any = begun
    with Journal.create(path, started.run) as journal:
        for entry in [*entries, *hostile]:
            journal.append(entry)
    found, others = read_journal(path)
    assert found == started.run
    assert others[: len(entries)] == entries
    assert len(others) == len(entries) + len(hostile)
    assert path.stat().st_size < 1_000_000


def test_a_journal_whose_first_entry_could_not_be_read_is_not_begun(tmp_path: Path) -> None:
    made = run(*[result(str(number), "litert", 1.0) for number in range(5)])
    many = msgspec.structs.replace(made, results=[msgspec.structs.replace(made.results[0], trials=[])] * 4097)
    with pytest.raises(ResultsError):
        Journal.create(tmp_path / "run-x.journal", many)
    assert not list(tmp_path.iterdir())
