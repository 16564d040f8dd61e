"""Whether other programs, or a throttled processor, disturbed the measurement of peaks."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from edge_bench.bench.system.environment import TICKS_NS
from edge_bench.bench.system.sensors import Sensors
from edge_bench.bench.system.trial_monitor import monitor_trial
from edge_bench.bench.wording import counted

__all__ = ["Load", "Watched"]

#: Cores used by other processes on average from which a measurement counts as disturbed, as in `doctor`.
_MIN_LOAD = 0.1


@dataclass
class Watched:
    """One step of a measurement."""

    own_ns: int = 0  # CPU time of its worker, which the caller sets


@dataclass
class Load:
    """Sums the CPU time of other processes over all steps of a measurement."""

    sensors: Sensors
    cores: int
    elapsed_ns: int = 0
    other_ns: int = 0
    throttled: dict[str, None] = field(default_factory=dict)

    @contextlib.contextmanager
    def watch(self) -> Iterator[Watched]:
        """Watch the ``with`` block."""
        watched, began = Watched(), time.monotonic_ns()
        with monitor_trial(self.sensors) as readings:
            yield watched
        self.elapsed_ns += time.monotonic_ns() - began
        self.other_ns += (readings.other_cpu_ns(watched.own_ns) or 0) + (readings.passed("steal_ns") or 0)
        self.throttled |= dict.fromkeys(readings.throttled)

    @property
    def reasons(self) -> list[str]:
        """Why the peaks may be too low; empty if nothing was found."""
        found = list(self.throttled)
        used = max(0, self.other_ns - TICKS_NS) / self.elapsed_ns if self.elapsed_ns else 0.0
        if used >= _MIN_LOAD:
            found.insert(0, f"other programs used {used:.1f} of {counted(self.cores, 'core')}")
        return found
