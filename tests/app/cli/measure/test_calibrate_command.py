"""`edge-bench calibrate`: what it refuses, measures and writes."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.app.cli.commands.fleet.calibrating import require_names
from edge_bench.bench.device_calibration import measuring
from edge_bench.bench.device_calibration.device_files import write_device_file
from edge_bench.bench.device_calibration.measuring import calibration_settings, threads_of
from edge_bench.bench.device_calibration.network_bundle import open_network_bundle, write_network_bundle
from edge_bench.bench.device_calibration.networks import NETWORKS
from edge_bench.bench.errors import BadInput, BundleError, NotTrusted
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.recording.started_run import started_run
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.prediction.device_file import read_device
from edge_bench.bench.prediction.fit import weak_prior
from edge_bench.bench.prediction.model_operators import read_operators
from edge_bench.bench.prediction.predict import predict_latency
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal.journal import JOURNAL, read_journal
from edge_bench.bench.records.run import Result, Run, Trial
from edge_bench.bench.records.run_files import read_run, write_run
from edge_bench.bench.system.concurrent_runs import detect_concurrent_runs
from edge_bench.bench.system.machine import Finding, describe_machine, usable_cores
from tests.command_line import CommandLine, Refuses
from tests.faults.harness import Station
from tests.made.prediction.predictions import device

#: Quick, and never reliable, so it needs --force.
QUICK = ("--trials", 2, "--processes", 1, "--force", "--output", "desk.toml")
SETTINGS = calibration_settings()


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write_network_bundle(tmp_path_factory.mktemp("networks"))


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing else runs."""
    monkeypatch.setattr(measuring, "load_now", lambda machine: [])
    monkeypatch.setattr(measuring, "machine_findings", lambda machine: [])


def made_run(networks: Bundle, **changes: Any) -> Run:
    """A Run of this machine whose latencies are those of known parameters, with 2 % of noise."""
    selection = Selection(runtimes=["litert"], threads=threads_of(usable_cores()))
    request = BenchmarkRequest.from_bundle(networks.folder, selection, SETTINGS, Silent())
    begun = started_run(request.workload, request.planned, request.settings)
    noise = np.random.default_rng(0)
    results = [_result(each, networks, noise) for each in begun.results]
    run = msgspec.structs.replace(begun, results=results, complete=True, trusted=True, findings=[], ended=begun.began)
    return msgspec.structs.replace(run, **changes)


def _result(result: Result, networks: Bundle, noise: np.random.Generator) -> Result:
    variant, threads = result.configuration.variant, result.configuration.threads
    operators = read_operators(networks.folder / f"variants/{variant}.tflite").operators
    precision: Any = variant.rpartition("-")[2]
    true = weak_prior("xnnpack", precision, "per-channel" if precision == "int8" else "", threads, 2.0)
    nanoseconds = 1e6 * predict_latency(operators, true).milliseconds * float(noise.lognormal(0, 0.02))
    trials = [
        Trial(process=number % SETTINGS.processes, round=number // SETTINGS.processes, sequence_number=number,
              began_ns=number, elapsed_ns=int(4 * nanoseconds), passes=1, correct=0,
              latencies=pack([round(nanoseconds)] * 4))
        for number in range(SETTINGS.trials)
    ]  # fmt: skip
    return msgspec.structs.replace(result, trials=trials, predictions=pack([0] * 4), runtime_version="2.0")


def test_engines_whose_device_files_would_have_one_name_are_refused() -> None:
    require_names(["pi-a", "pi-b", "pi4"])
    for names in (["Pi A", "pi-a"], ["pi4", "my-pi4"]):
        with pytest.raises(BadInput, match=names[0]):
            require_names(names)


@pytest.mark.slow
def test_it_writes_a_device_file_from_a_stored_run(
    networks: Bundle, tmp_path: Path, edge_bench_here: CommandLine
) -> None:
    write_run(made_run(networks), tmp_path / "runs")
    folder = {"EDGE_BENCH_DEVICES": str(tmp_path / "devices")}
    done = edge_bench_here(
        "calibrate", "--name", "My Desk", "--once", "--results", "runs", "--format", "json", **folder
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    threads = threads_of(usable_cores())
    assert {(row["precision"], row["threads"]) for row in rows} == {
        (precision, count) for precision in ("float32", "int8") for count in threads
    }
    assert {row["device"] for row in rows} == {"my-desk"}
    assert all(row["reliable"] and set(row["errors"]) == {each.name for each in NETWORKS} for row in rows)
    written = read_device(tmp_path / "devices/my-desk.toml")
    assert written.personal
    assert written.reliable
    assert written.leave_one_out_error == pytest.approx(np.mean([row["error"] for row in rows]), rel=1e-4)
    assert written.leave_one_out_error is not None
    assert written.leave_one_out_error < 0.15
    assert {each.method for each in written.parameters} == {"own calibration"}
    assert [each.rows for each in written.parameters] == [len(NETWORKS)] * len(rows)


@pytest.mark.slow
def test_a_stored_run_that_is_not_reliable_needs_force(
    networks: Bundle, tmp_path: Path, edge_bench_here: CommandLine, refuses: Refuses
) -> None:
    finding = Finding(what="the machine was throttled", remedy="cool it", spoils=True)
    write_run(made_run(networks, trusted=False, findings=[finding]), tmp_path / "runs")
    arguments = ("calibrate", "--output", "desk.toml", "--once", "--results", "runs")
    error = refuses(*arguments, kind=NotTrusted)
    assert "throttled" in error.problem
    assert "--force" in error.remedy
    assert not (tmp_path / "desk.toml").exists()
    assert edge_bench_here(*arguments, "--force").returncode == 0
    assert not read_device(tmp_path / "desk.toml").reliable


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
def test_a_machine_that_is_not_ready_is_refused_before_it_is_measured(
    networks: Bundle, tmp_path: Path, refuses: Refuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("calibrate", "--output", "desk.toml", "--bundle", networks.folder, "--results", "runs")
    folder = tmp_path / "locks"
    folder.mkdir()
    with detect_concurrent_runs("0123abcd", "desk", folder):
        error = refuses(*arguments, kind=NotTrusted, EDGE_BENCH_RUNTIME_DIR=str(folder))
        assert "0123abcd" in error.problem
    busy = Finding(what="other processes use 1.5 cores", remedy="stop them", spoils=False)
    monkeypatch.setattr(measuring, "load_now", lambda machine: [busy])
    assert "1.5 cores" in refuses(*arguments, kind=NotTrusted).problem
    powersave = Finding(what="the governor is powersave", remedy="change it", spoils=True)
    monkeypatch.setattr(measuring, "machine_findings", lambda machine: [powersave])
    assert "powersave" in refuses(*arguments, kind=NotTrusted).problem
    assert not list(tmp_path.glob("runs/*"))


@pytest.mark.slow
def test_an_emulated_machine_is_refused_even_with_force(
    networks: Bundle, refuses: Refuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = describe_machine()
    emulated = msgspec.structs.replace(described, emulated=True, emulation_signs=["QEMU"])
    monkeypatch.setattr(measuring, "describe_machine", lambda: emulated)
    assert "QEMU" in refuses("calibrate", "--bundle", networks.folder, *QUICK, kind=BadInput).problem


def test_output_that_cannot_be_written_is_refused_first(
    tmp_path: Path, refuses: Refuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder.toml").mkdir()
    monkeypatch.setattr(measuring, "measure_networks", None)
    for output in ("desk.json", "nowhere/desk.toml", "folder.toml"):
        assert output.partition("/")[0] in refuses("calibrate", "--output", output, "--force").problem
    for output in ("/proc/desk.toml", "/sys/desk.toml"):  # no file can be made there, also not by root
        assert output.rpartition("/")[0] in refuses("calibrate", "--output", output, "--force").problem
    (tmp_path / "file").write_text("")
    refuses("calibrate", "--name", "desk", "--force", kind=BadInput, EDGE_BENCH_DEVICES=str(tmp_path / "file"))


def test_measurements_are_kept_if_the_device_file_cannot_be_written_in_the_end(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").mkdir()
    for reliable in (True, False):
        with pytest.raises(BadInput) as caught:
            write_device_file(tmp_path / "desk.toml", device(reliable=reliable))
        assert "--once" in caught.value.remedy
        assert ("--force" in caught.value.remedy) is not reliable


@pytest.mark.slow
def test_another_bundle_is_refused(networks: Bundle, digits_bundle: Bundle, tmp_path: Path, refuses: Refuses) -> None:
    refuses("calibrate", "--bundle", digits_bundle.folder, *QUICK, kind=BundleError)
    altered = shutil.copytree(networks.folder, tmp_path / "altered")
    with (altered / "variants/plain-small-int8.tflite").open("r+b") as file:
        file.seek(1000)
        file.write(b"altered")
    assert open_network_bundle(altered).digest == networks.digest
    assert "plain-small-int8" in refuses("calibrate", "--bundle", altered, *QUICK).problem


@pytest.mark.slow
def test_a_calibration_that_was_killed_is_resumed(networks: Bundle, tmp_path: Path) -> None:
    """With real workers: no trial that was on disk is measured again, and the file is marked as unreliable."""
    station = Station(tmp_path, {"EDGE_BENCH_WARM_UP_SECONDS": "0.01", "EDGE_BENCH_TRIAL_SECONDS": "0.005"})
    arguments = ("calibrate", "--bundle", networks.folder, *QUICK, "--results", "runs", "--quiet")
    assert station.run_to("after-the-first-trial", signal.SIGKILL, *arguments).code == -signal.SIGKILL
    (journal,) = (tmp_path / "runs").glob(f"run-*{JOURNAL}")
    begun, _ = read_journal(journal)
    assert not (tmp_path / "desk.toml").exists()
    ended = station.run(*arguments, "--resume")
    assert ended.code == 0, ended.errors
    (path,) = (tmp_path / "runs").glob("run-*.json")
    run = read_run(path)
    assert run.run_id == begun.run_id
    assert all(len(result.trials) == 2 for result in run.results)
    written = read_device(tmp_path / "desk.toml")
    assert not written.reliable
    assert len(written.parameters) == 2 * len(threads_of(usable_cores()))
    operators = read_operators(networks.folder / "variants/residual-large-int8.tflite").operators
    for each in written.parameters:
        if each.precision == "int8":
            assert predict_latency(operators, each).milliseconds > 0
