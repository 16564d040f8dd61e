"""Nights with real measurements on this machine."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from edge_bench.app.nightly.confirming.confirm import Confirmer
from edge_bench.app.nightly.confirming.kept_bundles import keep_bundle
from edge_bench.app.nightly.judging.candidates import Candidate
from edge_bench.app.nightly.judging.series import NightRun
from edge_bench.app.nightly.settings.reading import THIS_MACHINE, read_settings
from edge_bench.app.nightly.work.measuring import FleetMeasurer
from edge_bench.bench.analysis.over_time.measured import measured
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.nights.files import read_recent_nights
from edge_bench.bench.records.nights.night import ConfirmationKind, Finding, NightState, Rule
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.records.run_files import read_run
from tests.command_line import CommandLine, clean_environment, command
from tests.made.nights.fleet import BEGIN, made_run

pytestmark = pytest.mark.slow

RUN = '[run]\nvariant = "int8"\nruntime = "litert"\ntrials = 4\nprocesses = 2\nlimit = 50\nruns_per_night = 1\n'


def settings(folder: Path, bundle: Path, text: str = RUN) -> Path:
    path = folder / "edge-bench.toml"
    path.write_text(f'{text}[[model]]\nname = "digits"\nbundle = "{bundle}"\n')
    return path


def test_two_nights_on_this_machine(digits_bundle: Bundle, tmp_path: Path, edge_bench: CommandLine) -> None:
    path = settings(tmp_path, digits_bundle.folder)
    for number in (1, 2):
        done = edge_bench("nightly", path, "--format", "json")
        assert done.returncode == 0, done.stderr
        (row,) = json.loads(done.stdout)
        assert (row["night"], row["model"], row["engine"], row["state"]) == (
            number,
            "digits",
            THIS_MACHINE,
            "delivered",
        )
        run = read_run(tmp_path / "results" / row["run_file"])
        assert run.run_id == row["run_id"]
        (level,) = row["levels"]
        assert level["correct"] == run.correct(run.results[0])[0]
    assert "2 Runs" in edge_bench("history", tmp_path / "results").stdout
    assert len(list((tmp_path / "results" / "nights" / "bundles").iterdir())) == 1


def test_an_engine_that_fails_is_named_with_its_reason(
    digits_bundle: Bundle, tmp_path: Path, edge_bench: CommandLine
) -> None:
    text = RUN.replace("int8", "int9") + '[[fleet.engine]]\nname = "gone"\nurl = "unix:///nowhere/docker.sock"\n'
    path = settings(tmp_path, digits_bundle.folder, f"[fleet]\nthis_machine = true\n{text}")
    done = edge_bench("nightly", path)
    assert done.returncode == 1
    (night,) = read_recent_nights(tmp_path / "results", 9)[0]
    assert {each.engine: str(each.state) for each in night.measurements} == {THIS_MACHINE: "failed", "gone": "silent"}
    assert "int9" in night.measurements[0].reason
    assert all(each.reason for each in night.silent)


def test_a_killed_night_is_continued_with_its_trials(
    digits_bundle: Bundle, tmp_path: Path, edge_bench: CommandLine
) -> None:
    path = settings(tmp_path, digits_bundle.folder, RUN.replace("trials = 4", "trials = 60"))
    process = subprocess.Popen(
        command("nightly", path), cwd=tmp_path, env=clean_environment(tmp_path), stderr=subprocess.DEVNULL
    )  # fmt: skip
    staging = tmp_path / "results" / "nights" / "staging-000001"
    while not any(path.stat().st_size > 5_000 for path in staging.rglob("run-*.journal")):  # some trials are made
        assert process.poll() is None
        time.sleep(0.01)
    (run,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()  # only it: the kernel ends the run that it began
    process.wait()
    done = edge_bench("nightly", path)
    assert done.returncode == 0, done.stderr
    assert "finished trials: " in done.stderr
    assert not Path("/proc", run).exists()
    (night,) = read_recent_nights(tmp_path / "results", 9)[0]
    assert (night.number, night.state, night.resumed) == (1, NightState.DONE, 1)
    (file,) = (tmp_path / "results").glob("run-*.json")
    assert len(read_run(file).results[0].trials) == 60


def test_old_and_new_model_are_measured_interleaved(bundle_copy: Path, tmp_path: Path) -> None:
    old = Bundle.open(bundle_copy)
    checked = read_settings(settings(tmp_path, bundle_copy))
    keep_bundle(old, checked.results)
    configuration = Configuration(variant="int8", runtime="litert", threads=1, batch_size=1)
    finding = Finding(
        model="digits", engine=THIS_MACHINE, machine="", configuration=configuration, verdict="slower",
        rule=Rule.NEW_MODEL, since_night=2, since=BEGIN.isoformat(),
    )  # fmt: skip
    run = made_run("x", BEGIN, 0.1, bundle=old.digest)
    last = NightRun(1, measured(run), lambda: run)
    confirmer = Confirmer(FleetMeasurer(checked, quiet=True), checked.results, tmp_path / "again", 0.02)
    (found,) = confirmer.confirmed([Candidate(finding, (), last, last)], checked.models[0], THIS_MACHINE)
    confirmation = found.confirmation
    assert confirmation is not None
    assert confirmation.kind is ConfirmationKind.INTERLEAVED
    assert confirmation.ratio is not None
    assert not found.reported  # it is the same model
    (file,) = (tmp_path / "again").rglob("run-*.json")
    assert [each.configuration.variant for each in read_run(file).results] == ["int8", "old-int8"]
