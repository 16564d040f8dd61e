"""The machine around one trial: read before and after it, never during it."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from edge_bench.bench.system.sensors import MachineState, Sensors, throttling

__all__ = ["TrialReadings", "monitor_trial"]


@dataclass
class TrialReadings:
    """The machine around one trial, and what this process itself used meanwhile."""

    before: MachineState
    own_ns: int
    after: MachineState = field(default_factory=MachineState)

    def passed(self, name: str) -> int | None:
        """How far a counter came; None where the machine has none."""
        first, last = getattr(self.before, name), getattr(self.after, name)
        return None if first is None or last is None else max(0, last - first)

    def other_cpu_ns(self, worker_ns: int) -> int | None:
        """Processor time that was neither the worker's nor this process's."""
        busy = self.passed("busy_ns")
        return None if busy is None else max(0, busy - worker_ns - self.own_ns)

    @property
    def throttled(self) -> list[str]:
        """Why the machine was slower than it can be, in words."""
        return throttling(self.before, self.after)


@contextlib.contextmanager
def monitor_trial(sensors: Sensors) -> Iterator[TrialReadings]:
    """Reads the sensors before and after what the ``with`` holds."""
    watched = TrialReadings(before=sensors.read(), own_ns=time.process_time_ns())
    yield watched
    watched.own_ns = time.process_time_ns() - watched.own_ns
    watched.after = sensors.read()
