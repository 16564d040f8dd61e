"""Files of revision fd3c007 (schema 1.3) can still be read, resumed, compared and reported.

``fd3c007.zip`` was made by that revision itself: a bundle of a small CNN, trained on digits, with 120 test images; Runs
of it, one with ``--resample``; the journal of a run that was killed; an Offload; the state of a fleet command with one
failed engine; and a training that was stopped after its first epoch.
"""

import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import msgspec
import numpy as np
import pytest

from edge_bench.app.fleet.runs.state import FleetRecord
from edge_bench.app.training.fit.checkpoints import read_state
from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.record_codec import SCHEMA_VERSION, decode_record, encode_record, unpack
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.recording.run_builder import read_run_or_journal
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.session import measure
from edge_bench.bench.offload.records.files import read_offload
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal.entries import TrialMade
from edge_bench.bench.records.journal.journal import Journal, read_journal
from edge_bench.bench.records.run import Settings
from edge_bench.bench.records.run_files import read_run, write_run
from studies.fleet.recorded_engine import RecordedEngine
from tests.command_line import CommandLine, clean_environment, command
from tests.fleet.engines import own_folder
from tests.fleet.saved import LAYERS, saved_image

JOURNAL = "run-20261126T051007Z-vm-f1bbe78f.journal"
OFFLOAD = "offload-20261126T051011Z-vm-0a089c18.json"
FLEET = "fleet/fleet-20261126T051020Z-c1221296/state.json"


class StopsAfterTrials(Silent):
    """Ctrl-C after a number of trials."""

    def __init__(self, trials: int) -> None:
        self.left = trials

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.left -= steps
        if steps and self.left == 0:
            raise KeyboardInterrupt


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a folder with the files of that revision."""
    with zipfile.ZipFile(Path(__file__).parent / "fd3c007.zip") as archive:
        archive.extractall(tmp_path / "old")
    return tmp_path / "old"


@pytest.fixture
def sockets() -> Iterator[Path]:
    folder = own_folder()
    yield folder
    shutil.rmtree(folder)


def schema_version(path: Path) -> str:
    """Return the schema version in a file."""
    found = re.search(rb'"schema_version": ?"([^"]+)"', path.read_bytes())
    assert found
    return found[1].decode()


def test_a_run_keeps_every_value_and_is_written_in_the_current_schema(old: Path, tmp_path: Path) -> None:
    assert schema_version(old / "run.json") == "1.3"
    before, run = json.loads((old / "run.json").read_text()), read_run(old / "run.json")
    assert run.schema_version == "1.3"  # what the report says about it
    assert run.images.total_images == before["images"]["of"] == 120
    for result, was in zip(run.results, before["results"], strict=True):
        assert [trial.sequence_number for trial in result.trials] == [trial["place"] for trial in was["trials"]]
        assert [trial.other_cpu_ns for trial in result.trials] == [trial["others_ns"] for trial in was["trials"]]
        assert [trial.steal_ns for trial in result.trials] == [trial["stolen_ns"] for trial in was["trials"]]
        assert [each.first_inference_ns for each in result.processes] == [each["first_ns"] for each in was["processes"]]
    assert run.state_before is not None
    assert run.state_before.steal_ns == before["state_before"]["stolen_ns"]
    path = write_run(run, tmp_path)
    assert schema_version(path) == SCHEMA_VERSION
    assert read_run(path) == msgspec.structs.replace(run, schema_version=SCHEMA_VERSION)


def test_a_run_with_resample_keeps_the_images_of_its_trials(old: Path) -> None:
    run = read_run(old / "run-resampled.json")
    drawn = [trial.image_positions for trial in run.results[0].trials]
    assert [positions.length for positions in drawn if positions] == [30] * 4
    unseen = run.results[0].unseen_positions
    assert unseen is not None
    seen = np.unique(np.concatenate([unpack(positions) for positions in drawn if positions]))
    assert sorted([*seen.tolist(), *unpack(unseen).tolist()]) == list(range(120))


def test_an_offload_keeps_every_value(old: Path) -> None:
    before, offload = json.loads((old / OFFLOAD).read_text()), read_offload(old / OFFLOAD)
    for arm, was in zip(offload.arms, before["arms"], strict=True):
        assert [trial.sequence_number for trial in arm.trials] == [trial["place"] for trial in was["trials"]]
        assert [trial.steal_ns for trial in arm.trials] == [trial["stolen_ns"] for trial in was["trials"]]
        assert arm.trials


def test_a_bundle_and_an_unfinished_training_are_read(old: Path) -> None:
    bundle = Bundle.open(old / "bundle")
    assert {variant.name for variant in bundle.variants} == {"keras", "float32", "float16", "dynamic", "int8"}
    history = bundle.history()
    assert history is not None
    assert len(history.loss) == 2
    state = read_state(old / "unfinished")
    assert state is not None
    assert state.epochs_done == 1


@pytest.mark.slow
def test_a_journal_is_an_incomplete_run_and_can_be_continued(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, entries = read_journal(old / JOURNAL)
    made = sum(isinstance(entry, TrialMade) for entry in entries)
    assert made >= 9
    run = read_run_or_journal(old / JOURNAL)
    assert not run.complete
    assert sum(len(result.trials) for result in run.results) == made
    # as if this were the machine that wrote it
    for module in ("recording.started_run", "session"):
        monkeypatch.setattr(f"edge_bench.bench.measure.{module}.describe_machine", lambda: begun.machine, raising=False)
    results = tmp_path / "results"
    results.mkdir()
    shutil.copy(old / JOURNAL, results)
    selection = Selection(variants=["dynamic"], runtimes=["litert", "tflite-runtime"])
    settings = Settings(trials=40, processes=2, limit=40)
    request = BenchmarkRequest.from_bundle(old / "bundle", selection, settings, Silent())
    continued, path = measure(request, results, StopsAfterTrials(4), resume=True)  # of the 80 of that run
    assert continued.run_id == begun.run_id
    assert schema_version(path) == SCHEMA_VERSION
    again = read_run_or_journal(results / JOURNAL)
    for each in (continued, again):
        assert sum(len(result.trials) for result in each.results) == made + 4
        for result, before in zip(each.results, run.results, strict=True):
            assert result.trials[: len(before.trials)] == before.trials


def with_version(journal: Path, version: str, *more: bytes) -> bytes:
    """Return the journal with another schema version in its first entry, and more entries after it."""
    first, *others = journal.read_bytes().splitlines(keepends=True)
    payload = (
        first.partition(b" ")[2].rstrip().replace(b'"schema_version":"1.3"', f'"schema_version":"{version}"'.encode())
    )
    lines = [b"%08x %s\n" % (crc32(each), each) for each in (payload, *more)]
    return b"".join([*lines, *others])


@pytest.mark.parametrize(
    ("version", "more"), [("3.0", ()), ("0.1", ()), ("junk", ()), ("2.0", (b'{"type":"Unknown"}',))]
)
def test_a_journal_of_another_version_is_refused_and_keeps_every_byte(
    old: Path, version: str, more: tuple[bytes, ...]
) -> None:
    content = with_version(old / JOURNAL, version, *more)
    (old / JOURNAL).write_bytes(content)
    for read in (read_journal, Journal.reopen):
        with pytest.raises(ResultsError):
            read(old / JOURNAL)
    assert (old / JOURNAL).read_bytes() == content


def test_a_resumed_journal_has_entries_of_the_current_schema_only(old: Path) -> None:
    _, before = read_journal(old / JOURNAL)
    journal, _, entries = Journal.reopen(old / JOURNAL)
    with journal:
        journal.append(entries[-1])
    lines = (old / JOURNAL).read_bytes().splitlines()
    assert b'"schema_version":"2.0"' in lines[0]
    kinds = {json.loads(line.partition(b" ")[2])["type"] for line in lines}
    assert kinds == {"RunStarted", "ProcessStarted", "TrialMade"}
    assert read_journal(old / JOURNAL)[1] == [*before, entries[-1]]


@pytest.mark.slow
@pytest.mark.usefixtures("measure_here")
def test_old_and_new_runs_are_compared_and_reported_together(
    edge_bench_here: CommandLine, old: Path, tmp_path: Path
) -> None:
    few = ("--trials", 2, "--processes", 1, "--limit", 40, "--variant", "float32,dynamic",
           "--runtime", "litert", "--quiet")  # fmt: skip
    assert edge_bench_here("run", old / "bundle", "--results", tmp_path / "new", *few).returncode == 0
    (new,) = (tmp_path / "new").glob("run-*.json")
    compared = edge_bench_here("compare", old / "run.json", new, "--format", "json")
    assert compared.returncode == 0, compared.stderr
    ids = {read_run(old / "run.json").run_id, read_run(new).run_id}
    assert {row["run"] for row in json.loads(compared.stdout)} == ids
    shown = edge_bench_here("history", old / "run.json", new, "--format", "json")
    assert {row["run"] for row in json.loads(shown.stdout)} == ids
    page = tmp_path / "page.html"
    reported = edge_bench_here(
        "report", old / "run.json", new, old / OFFLOAD, "--bundle", old / "bundle", "--output", page
    )
    assert reported.returncode == 0, reported.stderr
    assert page.read_text().count("<figure") > 3


@pytest.mark.slow
def test_a_training_is_resumed_after_its_first_epoch(edge_bench_here: CommandLine, old: Path) -> None:
    done = edge_bench_here("train", "--bundle", old / "unfinished", "--resume", "--dataset", "digits", "--epochs", 2)
    assert done.returncode == 0, done.stderr
    history = Bundle.open(old / "unfinished").history()
    assert history is not None
    assert len(history.loss) == 2
    assert history.loss[0] == json.loads((old / "bundle" / "history.json").read_text())["loss"][0]


@pytest.mark.slow
def test_a_resumed_fleet_command_skips_finished_devices(old: Path, sockets: Path, tmp_path: Path) -> None:
    state = old / FLEET
    assert schema_version(state) == "1.3"
    state.write_text(state.read_text().replace("/run/engines/", f"{sockets}/"))
    record = decode_record(state, FleetRecord, ResultsError, "")
    assert [device.state for device in record.devices] == ["done", "failed"]
    run = json.loads((old / "fleet" / record.devices[0].run_file).read_text())
    run |= {"run_id": f"{2:032x}", "machine": run["machine"] | {"hostname": "second"}}
    engines = [
        RecordedEngine(sockets / f"{name}.sock", files, LAYERS, "x86_64")
        for name, files in (("first", {}), ("second", {"runs/run-2.json": json.dumps(run).encode()}))
    ]
    for engine in engines:
        engine.start()
    done = subprocess.run(
        command(
            "fleet", "run", old / "bundle", "--engine", engines[0].url, "--engine", engines[1].url,
            "--image", saved_image(tmp_path / "edge.tar"), "--trials", 2, "--processes", 1, "--limit", 200,
            "--variant", "dynamic", "--runtime", "litert", "--results", old / "fleet", "--resume",
        ),
        env=clean_environment(tmp_path), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    for engine in engines:
        engine.stop()
    assert done.returncode == 0, done.stderr
    assert not engines[0].requests
    assert len(list((old / "fleet").glob("run-*.json"))) == 2
    after = decode_record(state, FleetRecord, ResultsError, "")
    assert [device.state for device in after.devices] == ["done", "done"]
    assert encode_record(after) == state.read_bytes()
