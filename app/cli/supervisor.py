"""Run commands that call TensorFlow in a child process that can be ended at any moment.

A converter can stay in native code for a minute, during which Python handles no signal, and native code can crash. So a
child does the work, and this process waits for it, forwards signals and removes temporary files.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence

from edge_bench.bench.interrupts import SIGNALS, die_with_parent
from edge_bench.bench.io.temporary import Scratch

__all__ = ["needs_supervision", "supervised"]

COMMANDS = ("train", "export", "inspect", "all")
#: Seconds for the child to save its state after a signal, so that every command ends within two seconds.
GRACE_SECONDS = 1.5
INTERRUPTED = 130


def needs_supervision(arguments: Sequence[str]) -> bool:
    """Return whether this command line runs one of COMMANDS on a system that can fork."""
    able = hasattr(os, "fork") and hasattr(signal, "sigtimedwait")
    return able and bool(arguments) and arguments[0] in COMMANDS and not {"--help", "-h"} & set(arguments)


def supervised(work: Callable[[], int]) -> int:
    """Do the work in a forked child and return its exit code. It returns twice: in the child, too."""
    handled = {each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*handled, signal.SIGCHLD})
    parent, scratch = os.getpid(), _temporary_folder()
    child = os.fork()
    if child == 0:
        die_with_parent(parent)
        if scratch is not None:
            scratch.use()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return work()
    try:
        return _exit_code(*_wait_for(child, handled))
    finally:
        if scratch is not None:
            scratch.remove()


def _temporary_folder() -> Scratch | None:
    try:
        return Scratch()
    except OSError:  # no writable temporary folder
        return None


def _wait_for(child: int, handled: set[signal.Signals]) -> tuple[int, bool, bool]:
    """Return the child's wait status, whether it was asked to stop, and whether it had to be killed."""
    deadline: float | None = None
    while True:
        left = 3600.0 if deadline is None else max(0.0, deadline - time.monotonic())
        received = signal.sigtimedwait({*handled, signal.SIGCHLD}, left)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status, deadline is not None, False
        if received is not None and received.si_signo in handled and deadline is None:
            deadline = time.monotonic() + GRACE_SECONDS
            os.kill(child, signal.SIGINT if signal.SIGINT in handled else received.si_signo)
        elif deadline is not None and time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
            return os.waitpid(child, 0)[1], True, True


def _exit_code(status: int, stop_requested: bool, killed: bool) -> int:
    if killed:
        _print_error("interrupted")
    if stop_requested and (killed or os.WIFSIGNALED(status)):
        return INTERRUPTED
    if os.WIFSIGNALED(status):
        from edge_bench.bench.system.cpu_features import illegal_instruction

        number = signal.Signals(os.WTERMSIG(status))
        name = number.name
        cause = "perhaps out of memory" if name == "SIGKILL" else "in native code, or by another process"
        remedy = illegal_instruction(number) or "continue `train` or `all` with --resume"
        _print_error(f"ended by {name}: {cause}", remedy)
        return 1
    return os.waitstatus_to_exitcode(status)


def _print_error(problem: str, remedy: str = "") -> None:
    from edge_bench.app.cli.console import print_error
    from edge_bench.bench.errors import EdgeBenchError

    print_error(EdgeBenchError(problem, remedy))
