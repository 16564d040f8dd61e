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
    """Return whether no night has begun since the last such time. ``last_began`` is in UTC, ``now`` is local.

    A night that began in the future began with a wrong clock, so that it may have been any time ago.
    """
    began = datetime.datetime.fromisoformat(last_began)
    return began > now.astimezone() or _local(began) < _last_time(at, now)


def days(
    at: datetime.time,
    results: Path,
    say: Callable[[str], None],
    now: Callable[[], datetime.datetime] = datetime.datetime.now,
) -> Iterator[bool]:
    """Yield at that time of every day, and at once if a night was missed or interrupted while no process ran.

    The value is whether a night is only to be continued, and none to begin: it was interrupted, but none was missed.
    """
    last = None  # the last such time that had a night
    nights, _ = read_recent_nights(results, 1)
    if nights:
        missed = is_missed(nights[-1].began, at, now())
        last = _last_time(at, now() if missed else _local(datetime.datetime.fromisoformat(nights[-1].began)))
        if missed or nights[-1].state is NightState.RUNNING:
            yield not missed
    while True:
        then = _next_day(at, last, now())
        say(f"next night: {then:%Y-%m-%d %H:%M}")
        while (left := (then - now()).total_seconds()) > 0:
            time.sleep(min(left, _LONGEST_SLEEP_SECONDS))
        last = then
        yield False


def _next_day(at: datetime.time, last: datetime.datetime | None, now: datetime.datetime) -> datetime.datetime:
    """Return the next such time. The hour that there is twice, when summer time ends, has one night."""
    if last and datetime.timedelta(0) < last - now < datetime.timedelta(days=1):
        return next_time(at, last)
    return next_time(at, now)


def _last_time(at: datetime.time, now: datetime.datetime) -> datetime.datetime:
    return next_time(at, now) - datetime.timedelta(days=1)


def _local(moment: datetime.datetime) -> datetime.datetime:
    return moment.astimezone().replace(tzinfo=None, fold=0)
