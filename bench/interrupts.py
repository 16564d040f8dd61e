"""SIGINT, SIGTERM and SIGHUP as one interruption: it comes at once, but never inside what has to be done whole."""

import contextlib
import ctypes
import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

__all__ = ["SIGNALS", "asked_to_stop", "defer_interrupts", "die_with_parent", "listen", "stop_listening"]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: A second signal that comes sooner is the same wish again: Ctrl-C reaches a process group, and people press it twice.
REPEAT_SECONDS = 2.0
_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass
class _State:
    holding: int = 0
    pending: bool = False
    raised: float = -math.inf


_state = _State()


def listen() -> None:
    """From now on each of the signals raises KeyboardInterrupt; one that was ignored (nohup) stays ignored."""
    for each in SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _interrupt)


def stop_listening() -> None:
    """What comes now comes to a process that ends in a moment anyway."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)


def asked_to_stop() -> bool:
    """Whether a signal has come, also where a library has swallowed its KeyboardInterrupt."""
    return _state.raised > -math.inf


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    now = time.monotonic()
    if now - _state.raised < REPEAT_SECONDS:
        return
    _state.raised = now
    if _state.holding:
        _state.pending = True
    else:
        raise KeyboardInterrupt


@contextlib.contextmanager
def defer_interrupts() -> Iterator[None]:
    """Puts an interruption off to the end of something short that must not be done by half."""
    _state.holding += 1
    try:
        yield
    finally:
        _state.holding -= 1
        if _state.pending and not _state.holding:
            _state.pending = False
            raise KeyboardInterrupt


def die_with_parent(parent: int) -> None:
    """Has the kernel end this process as soon as ``parent`` has ended, in whatever native code it then is (Linux)."""
    if sys.platform != "linux":
        return  # elsewhere it ends when it next reads from its pipe
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
