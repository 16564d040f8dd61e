"""SIGINT, SIGTERM and SIGHUP as KeyboardInterrupt, raised at once or after an operation that must not be split."""

import contextlib
import ctypes
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

__all__ = [
    "SIGNALS",
    "asked_to_stop",
    "defer_interrupts",
    "die_with_parent",
    "listen",
    "listening_to_ctrl_c",
    "stop_listening",
]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: A second signal within this time is ignored: Ctrl-C reaches the whole process group, and people press it twice.
REPEAT_SECONDS = 2.0
_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass
class _State:
    deferring: int = 0  # number of nested ``defer_interrupts``
    pending: bool = False
    last_signal: float = -math.inf  # time.monotonic(), seconds


_state = _State()


def listen() -> None:
    """Make each of the signals raise KeyboardInterrupt, except those that are ignored already (nohup)."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def stop_listening() -> None:
    """Ignore the signals from now on, because the process is about to end."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def listening_to_ctrl_c() -> Iterator[None]:
    """Let `defer_interrupts` defer Ctrl-C in the ``with`` block, in a program that is not the command line.

    Only in the main thread, the only one that Ctrl-C interrupts, and only if the program has no handler of its own.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _state.last_signal = -math.inf  # an interruption ends one call, not the program


def asked_to_stop() -> bool:
    """Return whether a signal has arrived, even if a library caught its KeyboardInterrupt."""
    return _state.last_signal > -math.inf


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    now = time.monotonic()
    if now - _state.last_signal < REPEAT_SECONDS:
        return
    _state.last_signal = now
    if _state.deferring:
        _state.pending = True
    else:
        raise KeyboardInterrupt


@contextlib.contextmanager
def defer_interrupts() -> Iterator[None]:
    """Defer KeyboardInterrupt to the end of the ``with`` block, a short operation that must not be split.

    Signals interrupt only the main thread. Other threads may use this, too: it has no effect in them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _state.deferring += 1
    try:
        yield
    finally:
        _state.deferring -= 1
        if _state.pending and not _state.deferring:
            _state.pending = False
            raise KeyboardInterrupt


def die_with_parent(parent: int) -> None:
    """Make the kernel kill this process when ``parent`` has ended, even inside native code (Linux only)."""
    if sys.platform != "linux":
        return  # on other systems the process ends when it next reads from its pipe
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
