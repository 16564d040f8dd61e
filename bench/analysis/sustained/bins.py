"""The trials of a sustained load over time: one bin per minute, with time, temperature and clock."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np

from edge_bench.bench.records.run import Trial
from edge_bench.bench.stats.intervals import Values

__all__ = ["MIN_BINS", "Bin", "bin_seconds", "bins_of", "covered_seconds", "is_finished", "starts"]

#: Fewest bins, so those of a load of less than ten minutes are shorter than a minute.
MIN_BINS = 10
#: Share of the duration that a finished load covers. Its last trial ends after the duration, which is counted from the
#: request of the first one, shortly before that begins.
_COVERED = 0.98


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """The trials that began in a part of a sustained load."""

    start_s: float  # since the load began
    image_ms: float | None  # median time per image; None without a trial
    trials: int
    temperature_c: float | None  # highest of the hottest thermal zone; None: unknown
    clock_mhz: float | None  # median clock of the fastest measured core; None: unknown
    throttled: bool  # during one of the trials


def bin_seconds(duration_s: float) -> float:
    """Return the duration of a bin: about a minute, or a tenth of a load of less than ten minutes."""
    return duration_s / max(MIN_BINS, round(duration_s / 60))


def starts(trials: Sequence[Trial]) -> Values:
    """Return when each trial began, in seconds since the first of them, shape [trials]."""
    began = np.array([trial.began_ns for trial in trials], dtype=np.float64) / 1e9
    return began - began[0] if len(began) else began


def covered_seconds(trials: Sequence[Trial]) -> float:
    """Return the time from the start of the first trial to the end of the last one; 0 without trials."""
    return (trials[-1].began_ns + trials[-1].elapsed_ns - trials[0].began_ns) / 1e9 if trials else 0.0


def is_finished(trials: Sequence[Trial], duration_s: float) -> bool:
    """Return whether the trials cover the whole duration."""
    return covered_seconds(trials) >= _COVERED * duration_s


def bins_of(trials: Sequence[Trial], duration_s: float, images: int) -> list[Bin]:
    """Return the bins of a load of ``duration_s`` seconds, with ``images`` per pass, up to that of the last trial.

    The trials are in the order in which they began.
    """
    width, last = bin_seconds(duration_s), max(MIN_BINS, round(duration_s / 60)) - 1
    numbers = np.minimum(starts(trials) / width, last).astype(np.int64)
    ends = np.searchsorted(numbers, np.arange(int(numbers.max(initial=-1)) + 2))
    return [_bin(number * width, trials[low:high], images) for number, (low, high) in enumerate(pairwise(ends))]


def _bin(start_s: float, trials: Sequence[Trial], images: int) -> Bin:
    temperatures = [trial.temperature_c for trial in trials if trial.temperature_c is not None]
    clocks = [trial.clock_mhz for trial in trials if trial.clock_mhz is not None]
    return Bin(
        start_s=start_s,
        image_ms=float(np.median([1e3 * trial.pass_seconds / images for trial in trials])) if trials else None,
        trials=len(trials),
        temperature_c=max(temperatures, default=None),
        clock_mhz=float(np.median(clocks)) if clocks else None,
        throttled=any(trial.throttled for trial in trials),
    )
