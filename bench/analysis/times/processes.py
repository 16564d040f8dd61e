"""Processes that differ in speed, and slow trials, within one configuration of a Run."""

from collections.abc import Sequence

import msgspec
import numpy as np

from edge_bench.bench.stats.comparisons.process_ratio import process_ratio
from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.ratios import Ratio, interleaved_ratio

__all__ = ["ProcessLuck", "SlowTrials", "has_luck", "process_luck", "ratio_despite_luck", "slow_trials"]

#: Processes differ if the ratio of their largest to their smallest median is at least this.
_DIFFERENT = 1.03
#: Minimum number of trials per process to distinguish process luck from disturbances.
_MIN_TRIALS = 4
#: A trial strays if its distance from its process's median is at least this fraction of the processes' spread. Process
#: luck requires that at most the second fraction of trials strays (one trial is always allowed).
_STRAY_DISTANCE, _MAX_STRAYS = 0.45, 0.02
#: A trial is slow if the ratio of its pass to the configuration's median pass is at least this.
_SLOW = 1.10


class ProcessLuck(msgspec.Struct, frozen=True):
    """How far the medians of a configuration's processes are apart, if by more than 3 %."""

    spread: float  # largest median divided by the smallest, minus 1
    of_processes: bool  # whether each process kept its own speed; otherwise the trials of a process differ as much


class SlowTrials(msgspec.Struct, frozen=True):
    """Trials whose whole pass took over 10 % longer than the median one."""

    count: int
    trials: int  # all of the configuration
    slowest: float | None  # fraction by which the slowest of them took longer; None: no slow trial


def process_luck(seconds_by_process: Sequence[Values]) -> ProcessLuck | None:
    """Return how far the processes' medians are apart; None for at most 3 % or a single process.

    ``seconds_by_process`` has one array of positive times per process, such as Result.seconds_by_process().

    A process may be faster than the next one throughout its life, for example because of its memory layout (Kalibera &
    Jones 2013). Bursts of load make processes differ, too, but begin and end within them. So it is process luck if
    nearly no trial is between the processes' speeds, away from its own process's: at most one trial, or 2 %. Trials far
    outside the range of the processes do not count, because they cannot be the cause of different processes. Fewer than
    four trials per process are not enough to decide. docs/calibration.md has how often each is found.
    """
    logs = [np.log(seconds) for seconds in seconds_by_process if len(seconds)]
    medians = np.array([np.median(each) for each in logs])
    if len(logs) < 2 or (spread := float(np.ptp(medians))) <= np.log(_DIFFERENT):
        return None
    low, high = medians.min() - spread / 2, medians.max() + spread / 2
    strays = sum(
        int(np.count_nonzero((np.abs(each - median) > _STRAY_DISTANCE * spread) & (each > low) & (each < high)))
        for each, median in zip(logs, medians, strict=True)
    )
    keep = strays <= max(1, _MAX_STRAYS * sum(map(len, logs)))
    return ProcessLuck(float(np.expm1(spread)), keep and min(map(len, logs)) >= _MIN_TRIALS)


def ratio_despite_luck(first: Sequence[Values], second: Sequence[Values]) -> Ratio:
    """Return the `interleaved_ratio`, or the `process_ratio` if either side has process luck; the same arguments.

    With two speeds of processes, the former calls a configuration different from itself in up to 9 % of comparisons of
    five processes, the latter in 0.1 to 2 % (docs/calibration.md).
    """
    return (process_ratio if has_luck(first) or has_luck(second) else interleaved_ratio)(first, second)


def has_luck(seconds_by_process: Sequence[Values]) -> bool:
    """Return whether the processes differ by more than 3 % and each keeps its own speed; see `process_luck`."""
    luck = process_luck(seconds_by_process)
    return luck is not None and luck.of_processes


def slow_trials(seconds: Values) -> SlowTrials:
    """Return the trials that took over 10 % longer than the median one; ``seconds`` of whole passes, shape [trials]."""
    excess = seconds / np.median(seconds) - 1
    slow = excess[excess > _SLOW - 1]
    return SlowTrials(len(slow), len(seconds), float(slow.max()) if len(slow) else None)
