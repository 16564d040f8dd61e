"""Clocks: when a night began, and whether the wall clock was set in between."""

import datetime
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_bench.bench.io.files import read_text_or_empty
from edge_bench.bench.progress import duration_text
from edge_bench.bench.records.nights.night import Night

__all__ = ["Clock", "clock_notes", "hours_since"]

#: A difference of the clocks that is no correction by NTP's usual steps.
_STEP_SECONDS = 60.0


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _uptime() -> float:
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _boot_id() -> str:
    return read_text_or_empty(Path("/proc/sys/kernel/random/boot_id")).strip()


@dataclass(frozen=True)
class Clock:
    """The clocks of this machine, or those of a simulation."""

    now: Callable[[], datetime.datetime] = _now
    uptime: Callable[[], float] = _uptime  # seconds since the boot
    boot_id: Callable[[], str] = _boot_id

    def text(self) -> str:
        """Return the time in UTC, ISO 8601, in whole seconds."""
        return self.now().isoformat(timespec="seconds")


def hours_since(night: Night, clock: Clock) -> float:
    """Return the hours since a night began; by the uptime if the kernel is the same, since no one sets that."""
    if night.boot_id and night.boot_id == clock.boot_id():
        return (clock.uptime() - night.began_uptime_s) / 3600
    return abs((clock.now() - datetime.datetime.fromisoformat(night.began)).total_seconds()) / 3600


def clock_notes(began: Night, earlier: Sequence[Night]) -> list[str]:
    """Return a note if the wall clock was set since an earlier night; nights keep the order of their numbers."""
    if not earlier:
        return []
    last = earlier[-1]
    passed = (_time(began) - _time(last)).total_seconds()
    if passed < 0:
        return [
            f"the clock was set back: night {began.number} began {duration_text(-passed)} before night {last.number} "
            "by this machine's clock. Nights are ordered by their numbers"
        ]
    same_boot = bool(last.boot_id) and last.boot_id == began.boot_id
    stepped = passed - (began.began_uptime_s - last.began_uptime_s)
    if same_boot and abs(stepped) > _STEP_SECONDS:
        way = "forward" if stepped > 0 else "back"
        return [f"the clock was set {way} by {duration_text(abs(stepped))} since night {last.number}"]
    return []


def _time(night: Night) -> datetime.datetime:
    return datetime.datetime.fromisoformat(night.began)
