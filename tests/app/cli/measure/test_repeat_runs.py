"""``run --repeat-runs``: its table, its files, interruptions and exit codes."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.errors import EdgeBenchError, NotTrusted
from edge_bench.bench.measure.recording import started_run
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run_files import read_run, write_run
from edge_bench.bench.system.machine import Finding, Machine
from tests.app.cli.terminal import on_terminal
from tests.command_line import Outcome, Refuses, call_here

pytestmark = pytest.mark.usefixtures("measure_here")
QUICK = ("--runtime", "litert", "--trials", 2, "--processes", 1, "--limit", 40)
RepeatRuns = Callable[..., Outcome]


@pytest.fixture
def repeat_runs(digits_bundle: Bundle, tmp_path: Path) -> RepeatRuns:
    """Call ``run`` for a small part of the bundle."""

    def run(count: int, *more: object, variant: str = "dynamic", bundle: Path = digits_bundle.folder) -> Outcome:
        return call_here("run", bundle, *QUICK, "--variant", variant, "--repeat-runs", count, *more, cwd=tmp_path)

    return run


@pytest.mark.slow
def test_one_table_is_of_all_runs_and_every_file_is_named(repeat_runs: RepeatRuns, tmp_path: Path) -> None:
    done = repeat_runs(3, "--format", "json")
    assert done.code == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["variant"], row["runs"], row["images"], row["differing_predictions"]) == ("dynamic", 3, 40, 0)
    runs = {path: read_run(path) for path in (tmp_path / "results").iterdir()}
    assert len(runs) == 3
    assert all(str(path.relative_to(tmp_path)) in done.stderr for path in runs)
    assert {run.repeat_group for run in runs.values()} == {row["repeat_group"]}
    assert row["image_median_ms"] == pytest.approx(sorted(row["image_ms_by_run"])[1])
    assert row["image_fastest_run_ms"] <= row["image_median_ms"] <= row["image_slowest_run_ms"]
    assert row["run_to_run_sd"] > 0
    first = next(run for run in runs.values() if run.repeat == 1)
    correct, seen = first.correct(first.results[0])
    assert row["accuracy"] == correct / seen

    again = repeat_runs(2, "--once")
    assert again.code == 0, again.stderr
    assert "3 runs" in again.stdout
    assert set((tmp_path / "results").iterdir()) == runs.keys()
    single = repeat_runs(1, "--once", "--format", "json")  # any Run of the group will do
    assert json.loads(single.stdout)[0]["trials"] == 2
    assert set((tmp_path / "results").iterdir()) == runs.keys()


@pytest.mark.slow
def test_ctrl_c_in_the_second_run_keeps_the_first_and_resume_makes_the_rest(
    digits_bundle: Bundle, repeat_runs: RepeatRuns, tmp_path: Path
) -> None:
    with on_terminal(
        "run",
        digits_bundle.folder,
        *QUICK,
        "--variant",
        "dynamic",
        "--repeat-runs",
        3,
        cwd=tmp_path,
        stdout=tmp_path / "stdout",
    ) as running:
        running.wait_for("run 2 of 3")
        os.killpg(running.process.pid, signal.SIGINT)
        assert running.end() == 130, running.shown
    assert "1 of 3" in running.shown
    # stdout has the results even if the interruption came while the progress bar started
    assert "Only one configuration" in (tmp_path / "stdout").read_text(), running.shown
    kept = [path for path in (tmp_path / "results").glob("run-*.json") if read_run(path).complete]
    assert len(kept) == 1
    done = repeat_runs(3, "--resume")
    assert done.code == 0, done.stderr
    runs = [read_run(path) for path in (tmp_path / "results").glob("run-*.json")]
    assert sorted(run.repeat for run in runs if run.complete) == [1, 2, 3]
    assert read_run(kept[0]) in runs
    assert len({run.repeat_group for run in runs}) == 1
    assert not list((tmp_path / "results").glob("*.journal"))


@pytest.mark.slow
def test_strict_measures_all_runs_and_names_the_unreliable_ones(
    repeat_runs: RepeatRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Machine] = []

    def findings(machine: Machine) -> list[Finding]:
        calls.append(machine)
        begun = len(list((tmp_path / "results").glob("run-*.json"))) + 1
        return [Finding(what="it is hot", remedy="cool it", spoils=True)] if begun == 2 else []

    monkeypatch.setattr(started_run, "machine_findings", findings)
    done = repeat_runs(3, "--strict", "--why")
    assert calls
    assert isinstance(done.error, NotTrusted)
    assert done.code == 4
    assert "run 2: it is hot" in done.error.problem
    assert "! run 2: it is hot" in done.stdout
    runs = [read_run(path) for path in (tmp_path / "results").glob("run-*.json")]
    assert "it is hot" in {finding.what for run in runs if run.repeat == 2 for finding in run.findings}
    assert sorted(run.repeat for run in runs) == [1, 2, 3]


@pytest.mark.slow
def test_a_failed_configuration_is_a_row_and_stops_no_run(
    repeat_runs: RepeatRuns, bundle_copy: Path, tmp_path: Path
) -> None:
    (bundle_copy / "variants" / "float32.tflite").write_bytes(b"x")
    done = repeat_runs(2, "--format", "json", variant="float32,dynamic", bundle=bundle_copy)
    assert done.code == 0, done.stderr
    rows = {row["variant"]: row for row in json.loads(done.stdout)}
    assert (rows["float32"]["runs"], rows["dynamic"]["runs"]) == (0, 2)
    assert rows["float32"]["failure"]
    assert rows["float32"]["image_median_ms"] is None
    nothing = repeat_runs(2, "--results", "none", variant="float32", bundle=bundle_copy)
    assert isinstance(nothing.error, EdgeBenchError)
    assert nothing.code == 1
    assert "bad file" in nothing.stdout
    assert len(list((tmp_path / "none").glob("run-*.json"))) == 2


@pytest.mark.slow
def test_repeats_are_compared_with_runs_of_other_machines(repeat_runs: RepeatRuns, tmp_path: Path) -> None:
    assert repeat_runs(2).code == 0
    run = read_run(next((tmp_path / "results").iterdir()))
    machine = msgspec.structs.replace(run.machine, architecture="riscv64", hostname="elsewhere")
    write_run(msgspec.structs.replace(run, run_id="f" * 32, machine=machine, repeat_group="", repeat=0), tmp_path)
    done = repeat_runs(2, "--once", "--compare-with", tmp_path)
    assert done.code == 0, done.stderr
    assert "elsewhere" in done.stdout


@pytest.mark.parametrize("count", [0, -1, 1001, "x"])
def test_an_impossible_number_is_refused(refuses: Refuses, digits_bundle: Bundle, count: object) -> None:
    assert "--repeat-runs" in refuses("run", digits_bundle.folder, "--repeat-runs", count).problem
