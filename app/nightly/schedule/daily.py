"""A night every day at one local time, in a process that does not end: for containers, which have no timers."""

import datetime
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.nights.files import read_recent_nights
from edge_bench.bench.records.nights.night import NightState

__all__ = ["days", "is_missed", "next_time", "parse_time"]

#: Longest sleep, after which the clock is read again: it may have been set, or the machine suspended.
_LONGEST_SLEEP_SECONDS = 60.0


def parse_time(text: str, flag: str) -> datetime.time:
    """Return ``02:30`` as a time of day. Raise BadInput for anything else."""
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text.strip())
    if found is None:
        raise BadInput(f"{flag} {text[:40]!r}: not a time of day", f"for example {flag} 02:30")
    return datetime.time(int(found[1]), int(found[2]))


def next_time(at: datetime.time, now: datetime.datetime) -> datetime.datetime:
    """Return the next such time after ``now``, both local and without a time zone."""
    today = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return today if today > now else today + datetime.timedelta(days=1)


def is_missed(last_began: str, at: datetime.time, now: datetime.datetime) -> bool:
    """Return whether no night has begun since the last such time. ``last_began`` is in UTC, ``now`` is local."""
    began = datetime.datetime.fromisoformat(last_began).astimezone().replace(tzinfo=None)
    return began < next_time(at, now) - datetime.timedelta(days=1)


def days(at: datetime.time, results: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Yield once at that time of every day, and at once if a night was missed or interrupted while no process ran."""
    nights, _ = read_recent_nights(results, 1)
    if nights and (nights[-1].state is NightState.RUNNING or is_missed(nights[-1].began, at, datetime.datetime.now())):
        yield
    while True:
        then = next_time(at, datetime.datetime.now())
        say(f"next night: {then:%Y-%m-%d %H:%M}")
        while (left := (then - datetime.datetime.now()).total_seconds()) > 0:
            time.sleep(min(left, _LONGEST_SLEEP_SECONDS))
        yield
