"""Commands that call TensorFlow, under a small process that can end them at any moment.

A converter may be in native code for a minute, in which Python hears no signal; and native code may crash. So the work
is done by a child, and this process does nothing but wait for it, pass signals on, and clear up.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence

from edge_bench.bench.interrupts import SIGNALS, die_with_parent
from edge_bench.bench.io.temporary import Scratch

__all__ = ["needs_supervision", "supervised"]

COMMANDS = ("train", "export", "inspect", "all")
#: What the child gets to write what there is; then it is killed, so that no command outlives a signal by two seconds.
GRACE_SECONDS = 1.5
INTERRUPTED = 130


def needs_supervision(arguments: Sequence[str]) -> bool:
    """Whether a command line is one of those."""
    able = hasattr(os, "fork") and hasattr(signal, "sigtimedwait")
    return able and bool(arguments) and arguments[0] in COMMANDS and not {"--help", "-h"} & set(arguments)


def supervised(work: Callable[[], int]) -> int:
    """Does the work in a child and returns its exit code; in the child it returns the work's, too."""
    heard = {each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*heard, signal.SIGCHLD})
    parent, scratch = os.getpid(), _scratch()
    child = os.fork()
    if child == 0:
        die_with_parent(parent)
        if scratch is not None:
            scratch.use()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return work()
    try:
        return _exit_code(*_waited_for(child, heard))
    finally:
        if scratch is not None:
            scratch.remove()


def _scratch() -> Scratch | None:
    try:
        return Scratch()
    except OSError:  # there is no temporary folder anywhere
        return None


def _waited_for(child: int, heard: set[signal.Signals]) -> tuple[int, bool, bool]:
    """Status of the ended child, whether it was asked to stop, and whether it had to be killed."""
    deadline: float | None = None
    while True:
        left = 3600.0 if deadline is None else max(0.0, deadline - time.monotonic())
        told = signal.sigtimedwait({*heard, signal.SIGCHLD}, left)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status, deadline is not None, False
        if told is not None and told.si_signo in heard and deadline is None:
            deadline = time.monotonic() + GRACE_SECONDS
            os.kill(child, signal.SIGINT if signal.SIGINT in heard else told.si_signo)
        elif deadline is not None and time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
            return os.waitpid(child, 0)[1], True, True


def _exit_code(status: int, asked: bool, killed: bool) -> int:
    if killed:
        print("error: interrupted", file=sys.stderr)
    if asked and (killed or os.WIFSIGNALED(status)):
        return INTERRUPTED
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        hint = "; out of memory?" if name == "SIGKILL" else ""
        print(
            f"error: ended by {name}, in native code or from outside{hint}\n  train and all go on with --resume",
            file=sys.stderr,
        )
        return 1
    return os.waitstatus_to_exitcode(status)
