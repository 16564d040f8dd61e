"""`nightly --daily-at`: the times at which nights begin, across summer time, restarts and wrong clocks."""

import datetime
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_bench.app.nightly.schedule import daily
from edge_bench.bench.records.nights.files import write_night
from edge_bench.bench.records.nights.night import Night, NightState

AT = datetime.time(2, 30)


class LocalClock:
    """A clock in Central Europe, where summer time ends on 2026-10-25 at 03:00. Sleeping sets it ahead."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def set(self, text: str) -> None:
        """Set it to a time in UTC."""
        self.seconds = datetime.datetime.fromisoformat(f"{text}+00:00").timestamp()

    def now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def utc(self) -> str:
        return f"{datetime.datetime.fromtimestamp(self.seconds, datetime.UTC):%Y-%m-%dT%H:%M}"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalClock]:
    made = LocalClock()
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        patch.setattr(time, "sleep", made.sleep)
        time.tzset()
        yield made
    time.tzset()


def days(results: Path, clock: LocalClock) -> Iterator[bool]:
    return daily.days(AT, results, lambda _: None, clock.now)


def began(results: Path, text: str, state: NightState = NightState.DONE) -> None:
    write_night(Night(number=1, began=f"{text}+00:00", state=state), results)


def test_there_is_one_night_when_summer_time_ends(tmp_path: Path, clock: LocalClock) -> None:
    clock.set("2026-10-24T20:00:00")
    nights = days(tmp_path, clock)
    assert next(nights) is False
    assert clock.utc == "2026-10-25T00:30"
    clock.sleep(40 * 60)  # 02:10 for the second time
    began(tmp_path, "2026-10-25T00:30:05")
    restarted = days(tmp_path, clock)
    assert next(nights) is False
    assert clock.utc == "2026-10-26T01:30"
    clock.set("2026-10-25T01:10:00")
    assert next(restarted) is False
    assert clock.utc == "2026-10-26T01:30"


def test_there_is_one_night_when_summer_time_begins(tmp_path: Path, clock: LocalClock) -> None:
    clock.set("2026-03-28T20:00:00")
    nights, times = days(tmp_path, clock), []
    for _ in range(2):
        next(nights)
        times.append(clock.utc)
        clock.sleep(60)
    assert times == ["2026-03-29T01:00", "2026-03-30T00:30"]  # the first at 03:00: there is no 02:30


@pytest.mark.parametrize(
    ("last", "state", "first"),
    [
        ("2026-06-01T00:30:05", NightState.RUNNING, True),  # interrupted: only to be continued
        ("2026-06-01T00:30:05", NightState.DONE, None),
        ("2026-05-31T00:30:05", NightState.RUNNING, False),  # and the one after it was missed
        ("2026-05-31T00:30:05", NightState.DONE, False),
        ("2031-01-01T00:30:05", NightState.DONE, False),  # with a wrong clock, so that others may have been missed
    ],
)
def test_a_restart_at_noon(last: str, state: NightState, first: bool | None, tmp_path: Path, clock: LocalClock) -> None:
    began(tmp_path, last, state)
    clock.set("2026-06-01T10:00:00")
    nights = days(tmp_path, clock)
    if first is not None:
        assert next(nights) is first
        assert clock.utc == "2026-06-01T10:00"
    assert next(nights) is False
    assert clock.utc == "2026-06-02T00:30"
