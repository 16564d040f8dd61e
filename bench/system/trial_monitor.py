"""Sensor readings before and after a trial, never during it, and those of a power meter."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from edge_bench.bench.system.power.meters import Meter, Watched
from edge_bench.bench.system.sensors import MachineState, Sensors, throttling

__all__ = ["TrialReadings", "monitor_trial"]


@dataclass
class TrialReadings:
    """The sensor readings of a trial, and the CPU time of this process during it."""

    before: MachineState
    own_ns: int  # CPU time of this process during the trial
    after: MachineState = field(default_factory=MachineState)
    watched: Watched | None = None  # readings of the power meter; None without one

    def passed(self, name: str) -> int | None:
        """Return the increase of a counter; None if the machine does not have it."""
        before, after = getattr(self.before, name), getattr(self.after, name)
        return None if before is None or after is None else max(0, after - before)

    def other_cpu_ns(self, worker_ns: int) -> int | None:
        """Return the CPU time in ns of all processes except the worker and this one; None if unknown."""
        busy = self.passed("busy_ns")
        return None if busy is None else max(0, busy - worker_ns - self.own_ns)

    def power_w(self, began_ns: int, elapsed_ns: int) -> float | None:
        """Return the mean power in watts during the trial; None without a meter, or without valid readings."""
        return None if self.watched is None else self.watched.mean_power_w(began_ns, elapsed_ns)

    @property
    def throttled(self) -> list[str]:
        """Reasons why the machine was throttled, as text; empty if it was not."""
        return throttling(self.before, self.after)


@contextlib.contextmanager
def monitor_trial(sensors: Sensors, meter: Meter | None = None) -> Iterator[TrialReadings]:
    """Read the sensors before and after the ``with`` block; the result is complete at its end.

    The ``meter`` is read directly around the block, or during it.
    """
    readings = TrialReadings(before=sensors.read(), own_ns=time.process_time_ns())
    with contextlib.ExitStack() as stack:
        readings.watched = stack.enter_context(meter.watch()) if meter else None
        yield readings
    readings.own_ns = time.process_time_ns() - readings.own_ns
    readings.after = sensors.read()
