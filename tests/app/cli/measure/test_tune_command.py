"""`edge-bench tune`: what it shows, asks, refuses and restores."""

import io
import sys
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.analysis.gate.pairing import pair_runs
from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.analysis.times.differences import differences
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.measure.stored.matching import same_settings
from edge_bench.bench.records.run import Run, Settings
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.system.tuning.kernel_files import KernelFiles
from tests.bench.system.tuning.machines import CPU, SWAPPINESS, contents, laptop, pi_4
from tests.command_line import CommandLine, Refuses
from tests.factories import result, run
from tests.made.tflite_models import brightness_tflite

GOVERNOR = f"{CPU}/cpufreq/policy0/scaling_governor"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_shows_asks_changes_and_restores(
    tmp_path: Path, edge_bench_here: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = pi_4(tmp_path / "pi")
    before = contents(root)
    shown = edge_bench_here("tune", "--dry-run", "--cpus", "1-3", EDGE_BENCH_TUNE_ROOT=str(root))
    assert shown.returncode == 0
    for part in (f"/{GOVERNOR}", "ondemand", "performance", "{0,9,11,31}/smp_affinity_list", f"/{SWAPPINESS}"):
        assert part in shown.stdout
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    done = edge_bench_here("tune", EDGE_BENCH_TUNE_ROOT=str(root))
    assert done.returncode == 2
    assert "--yes" in done.stderr
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert edge_bench_here("tune", EDGE_BENCH_TUNE_ROOT=str(root)).returncode == 1
    assert contents(root) == before

    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert edge_bench_here("tune", "--keep", "swap,interrupts", EDGE_BENCH_TUNE_ROOT=str(root)).returncode == 0
    assert (root / GOVERNOR).read_text() == "performance\n"
    assert (root / SWAPPINESS).read_text() == "60\n"
    assert edge_bench_here("tune", "--yes", "--cpus", "1-3", EDGE_BENCH_TUNE_ROOT=str(root)).returncode == 0
    again = edge_bench_here("tune", EDGE_BENCH_TUNE_ROOT=str(root))  # the same cores, so there is nothing to ask
    assert again.returncode == 0
    assert "1-3" in again.stdout
    assert "--restore" in again.stdout
    assert "why" not in again.stdout  # no empty table
    online = root / CPU / "online"
    online.write_text("0-2\n")  # core 3 was unplugged
    assert edge_bench_here("tune", "--dry-run", EDGE_BENCH_TUNE_ROOT=str(root)).returncode == 2
    online.write_text("0-3\n")
    assert edge_bench_here("tune", "--restore", EDGE_BENCH_TUNE_ROOT=str(root)).returncode == 0
    assert contents(root) == before
    assert edge_bench_here("tune", "--restore", EDGE_BENCH_TUNE_ROOT=str(root)).returncode == 0
    assert contents(root) == before


def test_what_it_refuses(tmp_path: Path, refuses: Refuses) -> None:
    root = laptop(tmp_path / "laptop")
    before = contents(root)
    for wrong in (["--cpus", "9"], ["--cpus", "big"], ["--keep", "clock"], ["--restore", "--cpus", "1"]):
        refuses("tune", *wrong, EDGE_BENCH_TUNE_ROOT=str(root))
    assert contents(root) == before
    (root / ".dockerenv").touch()
    assert "on the host" in refuses("tune", "--yes", EDGE_BENCH_TUNE_ROOT=str(root)).remedy
    (root / "proc/cpuinfo").write_text("model name\t: VirtualApple\n")
    assert "emulated" in refuses("tune", "--yes", EDGE_BENCH_TUNE_ROOT=str(root)).problem
    assert "emulated" in refuses("tune", "--restore", EDGE_BENCH_TUNE_ROOT=str(root)).problem
    assert (root / GOVERNOR).read_text() == "powersave\n"


def test_a_refused_setting_is_an_error_and_the_others_are_active(
    tmp_path: Path, edge_bench_here: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = laptop(tmp_path / "laptop")
    write = KernelFiles.write

    def refuse_turbo(files: KernelFiles, path: str, content: bytes) -> None:
        if path.endswith("no_turbo"):
            raise PermissionError(1, "Operation not permitted")
        write(files, path, content)

    monkeypatch.setattr(KernelFiles, "write", refuse_turbo)
    done = edge_bench_here("tune", "--yes", EDGE_BENCH_TUNE_ROOT=str(root))
    assert done.returncode == EdgeBenchError.exit_code
    assert "no_turbo" in done.stderr
    assert "--restore" in done.stderr
    assert (root / GOVERNOR).read_text() == "performance\n"


@pytest.mark.slow
def test_a_run_on_some_cores_records_them(tmp_path: Path, edge_bench: CommandLine) -> None:
    brightness_tflite(tmp_path / "model.tflite", range(3))
    measured = ("model.tflite", "--trials", 2, "--processes", 1, "--runtime", "litert")
    assert edge_bench("run", *measured, "--cpus", 0).returncode == 0
    (path,) = (tmp_path / "results").glob("run-*.json")
    made = read_run(path)
    assert (made.settings.cpus, made.machine.cores, made.complete) == ("0", 1, True)
    assert made.tuned in (None, [])
    assert edge_bench("run", *measured, "--once").returncode == 0  # on all cores: not the same
    assert len(list((tmp_path / "results").glob("run-*.json"))) == 2


def test_runs_on_other_cores_are_made_under_other_conditions() -> None:
    def on(cpus: str) -> Run:
        whole = run(result("dynamic", "litert", 0.01))
        return msgspec.structs.replace(whole, settings=Settings(cpus=cpus), tuned=["turbo off"] if cpus else [])

    little, big = on("0-3"), on("4-7")
    assert not same_settings(little.settings, big.settings, ["trials"])
    found = differences(on(""), on("").results[0], big, big.results[0])
    assert any("all → 4-7" in each for each in found)
    assert any("no → turbo off" in each for each in found)
    assert len(history([little, big, on("4-7")])) == 2
    with pytest.raises(BadInput):
        pair_runs([big], [little])
    with pytest.raises(BadInput):
        pair_runs([big], [little, on("4-7")])
    assert len(pair_runs([big], [on("4-7")]).pairs) == len(pair_runs([big], [little], across=True).pairs) == 1
