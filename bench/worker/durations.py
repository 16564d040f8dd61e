"""Durations that the environment can shorten, for this project's own tests. Each Run has a finding about them."""

import math
import os
from typing import NamedTuple

from edge_bench.bench.errors import BadInput

__all__ = ["DURATIONS", "IDLE", "PROFILE", "TRIAL", "WARM_UP", "Duration"]

_MOST_SECONDS = 3600.0


class Duration(NamedTuple):
    """A minimum duration in seconds: the default, unless an environment variable states another one."""

    name: str
    variable: str
    default: float

    def seconds(self) -> float:
        """Return the duration in seconds. Raise BadInput if the environment variable is invalid."""
        value = os.environ.get(self.variable, "")
        try:
            seconds = float(value) if value else self.default
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds <= _MOST_SECONDS:
            limits = f"0 to {_MOST_SECONDS:,.0f}"
            raise BadInput(f"{self.variable}={value[:40]!r}: not a number of seconds from {limits}", "unset it")
        return seconds

    def nanoseconds(self) -> int:
        """Return the duration in nanoseconds; raise BadInput as ``seconds`` does."""
        return int(1e9 * self.seconds())


#: Default of TensorFlow Lite's benchmark_model: warmup_runs = 1, warmup_min_secs = 0.5. The duration of each warm-up is
#: in the Run (``ProcessRecord.warm_up_ns``).
WARM_UP = Duration("warm-up", "EDGE_BENCH_WARM_UP_SECONDS", 0.5)
#: Passes are repeated within a trial up to this duration: twice pyperf's minimum, so that noise does not push a trial
#: below it.
TRIAL = Duration("duration of trials", "EDGE_BENCH_TRIAL_SECONDS", 0.2)
#: The idle power is measured for this long before the first trial, if the machine has a power meter.
IDLE = Duration("measurement of the idle power", "EDGE_BENCH_IDLE_SECONDS", 10.0)
#: Invocations of one process for a profile, with and without the profiler. Their number is in the profile.
PROFILE = Duration("duration of profiles", "EDGE_BENCH_PROFILE_SECONDS", 2.0)

DURATIONS = (WARM_UP, TRIAL, IDLE, PROFILE)
