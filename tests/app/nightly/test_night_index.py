"""Earlier nights are read through an index of their Runs, which gives the same as the Run files."""

from pathlib import Path

import pytest

from edge_bench.app.nightly.judging.series import NightRuns
from edge_bench.bench.measure.stored import measured as stored
from edge_bench.bench.records.nights.files import FOLDER, MORE, read_recent_nights
from edge_bench.bench.records.run import Run
from tests.made.nights.fleet import FakeFleet, Nights, made_run, settings_file


def levels(results: Path) -> dict[int, float]:
    """The time of each night, as it is compared."""
    nights, _ = read_recent_nights(results, 9)
    found = NightRuns(nights, results).of("digits", "pi4")
    for each in found:  # the index agrees with the files
        assert each.measured.trials == len(each.run.results[0].trials)
    return {each.night: each.measured.results[0].whole.median for each in found}


def test_the_index_of_nights_gives_what_the_run_files_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nights = Nights(settings_file(tmp_path, "[run]\nruns_per_night = 2\n", ["pi4"]), FakeFleet(lambda *_: ""))
    seconds = iter([0.1, 0.2] * 3)

    def make(engine: str, _: str) -> Run:
        return made_run(engine, nights.now, next(seconds))

    nights.fleet.make = make
    for _ in range(3):
        nights.night()
        nights.next_day()
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))
    without = levels(nights.results)
    assert not list((tmp_path / "cache").rglob("*.sqlite"))  # reading few Runs is fast
    monkeypatch.setattr(stored, "LEAST_FILES", 1)
    assert levels(nights.results) == levels(nights.results) == without
    (index,) = (tmp_path / "cache").rglob("*.sqlite")

    # a Run of the second night is deleted, one of the third damaged: the index is not believed
    more = [next(iter(each.measurements[0].more_runs)) for each in read_recent_nights(nights.results, 9)[0]]
    folder = nights.results / FOLDER / MORE
    (folder / more[1]).unlink()
    (folder / more[2]).write_bytes(b"{}")
    changed = levels(nights.results)
    assert changed[1] == without[1]
    assert changed[2] < without[2]
    assert changed[3] < without[3]
    index.write_bytes(b"no database")
    assert levels(nights.results) == changed
