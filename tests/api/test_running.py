"""Measurements from Python: scripts, ``python -c``, threads, and interruptions."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import edge_bench
from edge_bench.bench.interrupts import asked_to_stop
from edge_bench.bench.records.journal.journal import JOURNAL
from tests.command_line import clean_environment
from tests.made.brightness import bright_inputs
from tests.made.tflite_models import brightness_tflite
from tests.measured import arrays

pytestmark = pytest.mark.slow

LABELS = (0, 1, 2, 1)
#: Without ``if __name__ == "__main__"``: workers are processes of their own, which do not import the script.
SCRIPT = """
import edge_bench
run = edge_bench.run("model.tflite", data="x.npy", labels="y.npy", runtimes="litert", trials={trials}, processes=1)
print(run.record.correct(run.record.results[0]), run.path)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    brightness_tflite(tmp_path / "model.tflite", (0, 1, 2))
    arrays(tmp_path, bright_inputs(LABELS, 8, 8, 3), LABELS)
    return tmp_path


def started(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, env=clean_environment(folder), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def small(folder: Path, **more: object) -> edge_bench.Run:
    options = {"runtimes": ["litert"], "trials": 2, "processes": 1, "results": folder / "results"} | more
    return edge_bench.run(folder / "model.tflite", data=folder / "x.npy", labels=folder / "y.npy", **options)  # type: ignore[arg-type]


def test_a_run_is_written_and_returned_and_once_returns_it_again(folder: Path) -> None:
    measured = small(folder)
    assert measured.complete
    assert measured.path is not None
    assert edge_bench.load(measured.path)[0].record == measured.record
    assert measured.record.correct(measured.record.results[0]) == (4, 4)
    assert small(folder, once=True).path == measured.path
    assert small(folder, once=True, trials=3).path != measured.path


@pytest.mark.parametrize("how", ["script", "-c"])
def test_scripts_need_no_main_guard(how: str, folder: Path) -> None:
    text = SCRIPT.format(trials=2)
    (folder / "script.py").write_text(text)
    done = started(folder, *(["script.py"] if how == "script" else ["-c", text]))
    out, err = done.communicate(timeout=120)
    assert done.returncode == 0, err
    assert out.startswith("(4, 4) results")


def test_other_threads_can_measure(folder: Path) -> None:
    runs = list[edge_bench.Run]()
    thread = threading.Thread(target=lambda: runs.append(small(folder)))
    thread.start()
    thread.join(120)
    assert runs[0].complete


def test_an_interruption_is_raised_and_leaves_a_journal_that_resumes(folder: Path) -> None:
    (folder / "script.py").write_text(SCRIPT.format(trials=3000))
    process = started(folder, "script.py")
    journal = _with_trials(folder / "results")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert err.splitlines()[-1].startswith("KeyboardInterrupt")
    assert str(journal.name) in err
    begun = edge_bench.load(journal)[0]
    done = len(begun.trials())
    assert 0 < done < 3000


def test_an_interruption_of_one_call_does_not_disturb_the_next(folder: Path) -> None:
    timer = threading.Thread(target=_interrupt_after_trials, args=(folder / "results",))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        small(folder, trials=60)
    timer.join()
    assert not asked_to_stop()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    (journal,) = (folder / "results").glob(f"*{JOURNAL}")
    before = len(edge_bench.load(journal)[0].trials())
    resumed = small(folder, trials=60, resume=True)
    assert resumed.complete
    assert [len(resumed.trials()), before < 60, journal.exists()] == [60, True, False]


def test_errors_are_the_projects_own(folder: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "few.npy", np.array([0, 1]))
    with pytest.raises(edge_bench.DatasetError):
        edge_bench.run(folder / "model.tflite", data=folder / "x.npy", labels=tmp_path / "few.npy")
    with pytest.raises(edge_bench.BadInput):
        edge_bench.run(folder / "nothing.tflite")


def test_a_configuration_that_cannot_be_measured_is_named(folder: Path) -> None:
    with pytest.raises(edge_bench.EdgeBenchError) as failed:
        small(folder, memory_limit="1M")
    assert "model/litert/1/1" in failed.value.problem


def _interrupt_after_trials(results: Path) -> None:
    _with_trials(results)
    assert callable(signal.getsignal(signal.SIGINT)), "it would end this process, and all tests in it"
    os.kill(os.getpid(), signal.SIGINT)


def _with_trials(results: Path) -> Path:
    """Wait for a journal with trials."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for path in results.glob(f"run-*{JOURNAL}"):
            if path.read_bytes().count(b"\n") > 8:
                return path
        time.sleep(0.02)
    raise AssertionError("no trial was made")
