"""Energy counters and power sensors, read around or during a trial.

An energy counter is read before and after a trial, and every ten seconds during a long one, so that it cannot start
again from zero twice unnoticed. A power sensor is read several times during a trial, by a thread of the parent process,
which otherwise sleeps. Both return the mean power during the trial, which times its duration is its energy.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, Protocol

__all__ = [
    "METER",
    "PMIC",
    "RAPL",
    "REAL_TIME",
    "Counter",
    "Meter",
    "Part",
    "Read",
    "Reading",
    "Timer",
    "Watched",
    "Wattmeter",
]

Read = Callable[[], float | None]

#: Where an energy is from: a meter of the supply, the power chip of a board, or counters in the processor.
METER, PMIC, RAPL = "meter", "pmic", "rapl"

#: Period of reading a counter during a long trial. RAPL's counters start again after 65 kJ at the earliest.
_COUNTER_PERIOD_S = 10.0
#: Updates of a counter within a trial, at least. Its readings are half an update old on average. At the start, that is
#: energy from before the trial, so the error is below half an update at the difference of the two powers: 1 %.
_MIN_UPDATES = 50
#: No machine that runs edge-bench takes more. Such a reading is an error of the sensor, or a counter that was reset
#: elsewhere than at its end, as after a suspend.
_MAX_WATTS = 10_000.0
#: The readings of a counter may be at most this much further apart than the trial takes. Between, the worker gets its
#: request and sends its answer, at a power that is not that of the trial.
_MAX_MARGIN = 0.05
#: The first reading of a sensor in each trial is at another fraction of the period, so that readings are not always at
#: the same moment of a trial. Multiples of the golden ratio are spread evenly.
_GOLDEN = 0.6180339887498949


class Timer(Protocol):
    """The time in which a meter is read. Tests have a simulated one."""

    def now_ns(self) -> int:
        """Return the present moment, on the clock of the trials."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def every(self, first_s: float, period_s: float, read: Callable[[], None]) -> AbstractContextManager[None]:
        """Call ``read`` during a ``with`` block: after ``first_s`` seconds, then every ``period_s`` seconds."""


class _RealTime:
    """The time of the machine; what is repeated is called in a thread, which sleeps in between."""

    def now_ns(self) -> int:
        return time.perf_counter_ns()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    @contextmanager
    def every(self, first_s: float, period_s: float, read: Callable[[], None]) -> Iterator[None]:
        over = threading.Event()

        def repeat() -> None:
            wait = first_s
            while not over.wait(wait):
                read()
                wait = period_s

        thread = threading.Thread(target=repeat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


REAL_TIME = _RealTime()


class Reading(NamedTuple):
    """Values that were read between two moments in ns: the joules of each counter, or watts."""

    began_ns: int
    ended_ns: int
    values: tuple[float | None, ...]


class Meter(Protocol):
    """A power meter."""

    @property
    def source(self) -> str:
        """METER, PMIC or RAPL."""

    @property
    def name(self) -> str:
        """What it reads, and what is not included."""

    @property
    def least_trial_s(self) -> float:
        """Shortest trial in seconds that it can measure."""

    def watch(self) -> AbstractContextManager["Watched"]:
        """Read the meter during a ``with`` block. The result is complete at its end."""

    def mean_power_w(self, readings: Sequence[Reading], began_ns: int, elapsed_ns: int) -> float | None:
        """Return the mean power of a trial in watts; None if the readings do not suffice."""


class Watched:
    """The readings of a meter during a block."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.readings: list[Reading] = []

    def mean_power_w(self, began_ns: int, elapsed_ns: int) -> float | None:
        """Return the mean power in watts during a trial within the block; None if the readings do not suffice."""
        return self._meter.mean_power_w(self.readings, began_ns, elapsed_ns)


class Part(NamedTuple):
    """One of the counters that are added: it reads joules, and starts again from zero at ``wraps_at`` joules."""

    read: Read
    wraps_at: float | None = None


class Counter:
    """One or several energy counters, whose sum is the energy."""

    def __init__(
        self, source: str, name: str, parts: Sequence[Part], update_s: float, timer: Timer = REAL_TIME
    ) -> None:
        """``update_s`` is the time between two updates of the counters."""
        self.source, self.name = source, name
        self.least_trial_s = _MIN_UPDATES * update_s
        self._parts, self._timer = parts, timer

    @contextmanager
    def watch(self) -> Iterator[Watched]:
        """Read the counters before and after the block, and every ten seconds."""
        watched = Watched(self)
        watched.readings.append(self._reading())
        with self._timer.every(_COUNTER_PERIOD_S, _COUNTER_PERIOD_S, lambda: watched.readings.append(self._reading())):
            yield watched
        watched.readings.append(self._reading())

    def _reading(self) -> Reading:
        began = self._timer.now_ns()
        values = tuple(part.read() for part in self._parts)
        return Reading(began, self._timer.now_ns(), values)

    def mean_power_w(self, readings: Sequence[Reading], began_ns: int, elapsed_ns: int) -> float | None:  # noqa: ARG002
        """Return the mean power between the first and the last reading.

        None for a trial shorter than ``least_trial_s``, for readings that are much further apart than the trial takes,
        and for a counter that cannot be read, does not advance, or advances by more than any machine takes.
        """
        joules = 0.0
        for before, after in itertools.pairwise(readings):
            for part, start, end in zip(self._parts, before.values, after.values, strict=True):
                passed = _increase(start, end, part.wraps_at)
                if passed is None or 1e9 * passed > _MAX_WATTS * (_middle(after) - _middle(before)):
                    return None
                joules += passed
        between_ns = _middle(readings[-1]) - _middle(readings[0])
        if elapsed_ns < 1e9 * self.least_trial_s or between_ns > (1 + _MAX_MARGIN) * elapsed_ns:
            return None
        return 1e9 * joules / between_ns if joules > 0 and between_ns > 0 else None


class Wattmeter:
    """A power sensor in watts."""

    def __init__(
        self,
        source: str,
        name: str,
        read: Read,
        period_s: float,
        averaged_s: float = 0.0,
        timer: Timer = REAL_TIME,
    ) -> None:
        """``averaged_s`` is the time over which the sensor averages, and between its updates."""
        self.source, self.name = source, name
        # a value may be as old as the time between two updates, and is the mean over as long a time before
        self._age_s = 2 * averaged_s
        # one reading is certain in a trial that is longer than its age by the period
        self.least_trial_s = self._age_s + period_s
        self._read, self._period_s, self._timer = read, period_s, timer
        self._watches = 0

    @contextmanager
    def watch(self) -> Iterator[Watched]:
        """Read the sensor every ``period_s`` seconds during the block."""
        watched = Watched(self)

        def sample() -> None:
            began = self._timer.now_ns()
            value = self._read()
            watched.readings.append(Reading(began, self._timer.now_ns(), (value,)))

        self._watches += 1
        with self._timer.every(self._period_s * (self._watches * _GOLDEN % 1), self._period_s, sample):
            yield watched

    def mean_power_w(self, readings: Sequence[Reading], began_ns: int, elapsed_ns: int) -> float | None:
        """Return the mean of the readings that are of the trial only.

        None if there are none, if it is zero, and if a reading is more than any machine takes.
        """
        first, last = began_ns + 1e9 * self._age_s, began_ns + elapsed_ns
        watts = [
            value
            for reading in readings
            for value in reading.values
            if value is not None and reading.began_ns >= first and reading.ended_ns <= last
        ]
        if not watts or max(watts) > _MAX_WATTS:
            return None
        return sum(watts) / len(watts) if sum(watts) > 0 else None


def _increase(start: float | None, end: float | None, wraps_at: float | None) -> float | None:
    """Return by how many joules a counter has advanced; None if it is unknown."""
    if start is None or end is None:
        return None
    passed = end - start
    if passed < 0 and wraps_at:
        passed += wraps_at
    return passed if passed >= 0 else None


def _middle(reading: Reading) -> int:
    return (reading.began_ns + reading.ended_ns) // 2
