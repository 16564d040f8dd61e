"""The supervisor of commands that use TensorFlow, and signals as one interruption."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge_bench.app.cli.supervisor import needs_supervision
from edge_bench.bench.interrupts import asked_to_stop, defer_interrupts
from tests.command_line import clean_environment
from tests.faults.harness import group_lives

pytestmark = pytest.mark.slow

#: Lets a supervisor wait for a minute before it ends a child.
PATIENT = "import edge_bench.app.cli.supervisor as supervisor; supervisor.GRACE_SECONDS = 60"


def supervising(tmp_path: Path, work: str, *, setup: str = "") -> "subprocess.Popen[str]":
    """Start a supervisor whose child runs the code in ``work``; return when the code has called ``up()``."""
    code = (
        "import ctypes, os, signal, sys, tempfile, time\nfrom edge_bench.app.cli.supervisor import supervised\n"
        f"from edge_bench.bench.interrupts import defer_interrupts, listen\n{setup}\nlisten()\n"
        "def up(): print('up', tempfile.gettempdir(), flush=True)\n"
        f"def work():\n    open(tempfile.mkstemp()[1], 'w')\n    {work}\n    return 7\n"
        "sys.exit(supervised(work))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=clean_environment(tmp_path) | {"TMPDIR": str(tmp_path)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().startswith(f"up {tmp_path}/edge-bench-scratch-")
    return process


def ended(process: "subprocess.Popen[str]", tmp_path: Path) -> tuple[int, str]:
    """Return the exit code and stderr; assert that no process and no file is left."""
    _, errors = process.communicate(timeout=60)
    assert not group_lives(process.pid)
    assert list(tmp_path.iterdir()) == []
    return process.returncode, errors


def test_the_exit_code_is_passed_on_and_temporary_files_are_removed(tmp_path: Path) -> None:
    assert ended(supervising(tmp_path, "up()"), tmp_path) == (7, "")


def test_a_crash_in_native_code_is_reported_with_its_signal(tmp_path: Path) -> None:
    code, errors = ended(supervising(tmp_path, "up(); ctypes.string_at(0)"), tmp_path)
    assert code == 1
    assert errors.startswith("error:")
    assert "SIGSEGV" in errors
    assert "--resume" in errors


def test_resume_is_no_remedy_for_an_illegal_instruction(tmp_path: Path) -> None:
    code, errors = ended(supervising(tmp_path, "up(); os.kill(os.getpid(), 4)"), tmp_path)
    assert code == 1
    assert "SIGILL" in errors
    assert "--resume" not in errors


@pytest.mark.parametrize(("number", "whole_group"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_native_code_that_handles_no_signal_is_killed(tmp_path: Path, number: int, whole_group: bool) -> None:
    # like a converter: after a signal the call is repeated, and it holds the interpreter's lock
    work = (
        "lib = ctypes.PyDLL(None)\n    while True:\n        try: up(); lib.sleep(1000)\n"
        "        except BaseException: pass"
    )
    process = supervising(tmp_path, work)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    code, errors = ended(process, tmp_path)
    assert code == 130
    assert errors.startswith("error:")
    assert errors.count("\n") == 1


def test_work_that_handles_the_signal_finishes(tmp_path: Path) -> None:
    """It has a minute here: on a busy machine 1.5 s are too few for a process to hear of a signal."""
    work = "try: up(); time.sleep(1000)\n    except KeyboardInterrupt: print('tidy', file=sys.stderr); return 130"
    process = supervising(tmp_path, work, setup=PATIENT)
    process.terminate()
    assert ended(process, tmp_path) == (130, "tidy\n")


def test_an_ignored_hangup_stays_ignored(tmp_path: Path) -> None:
    """``nohup`` sets it so."""
    process = supervising(
        tmp_path, "up(); os.kill(os.getpid(), signal.SIGHUP); os.kill(os.getppid(), signal.SIGHUP)",
        setup="signal.signal(signal.SIGHUP, signal.SIG_IGN)",
    )  # fmt: skip
    assert ended(process, tmp_path) == (7, "")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends orphans on Linux only")
def test_kill_9_of_the_supervisor_ends_the_work_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    process = supervising(tmp_path, "up(); time.sleep(1000)")
    process.kill()
    process.communicate()
    while group_lives(process.pid):
        pass
    assert len(list(tmp_path.iterdir())) == 1, "its scratch folder"
    assert ended(supervising(tmp_path, "up()"), tmp_path) == (7, "")


def test_an_interruption_is_deferred_and_two_count_as_one(tmp_path: Path) -> None:
    work = (
        "up(); done = []\n    try:\n        with defer_interrupts():\n"
        "            [os.kill(os.getpid(), signal.SIGINT) for _ in range(2)]; done.append('whole')\n"
        "        done.append('not reached')\n"
        "    except KeyboardInterrupt: done.append('interrupted')\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n    print(*done, file=sys.stderr)"
    )
    assert ended(supervising(tmp_path, work), tmp_path) == (7, "whole interrupted\n")


def test_deferring_interrupts_without_a_signal_changes_nothing() -> None:
    with defer_interrupts(), defer_interrupts():
        pass
    assert not asked_to_stop()


def test_only_commands_that_call_tensorflow_are_supervised() -> None:
    assert needs_supervision(["train", "--epochs", "1"])
    for words in ([], ["run", "train"], ["train", "--help"], ["--version"]):
        assert not needs_supervision(words)
