"""Percentiles of latencies with their intervals over processes, and histograms."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.stats.intervals import Interval, Values, mean_half_width
from edge_bench.bench.stats.student import t_quantile

__all__ = ["PERCENTILES", "Histogram", "Percentile", "histogram", "latencies_needed", "percentiles"]

PERCENTILES = (50, 90, 99)
#: Latencies beyond a percentile that a process must have on average, for an estimate of this percentile.
_MIN_BEYOND = 5
#: Values of the latency at most at which `_by_shares` tests.
_MAX_CANDIDATES = 1_000
#: Bins have equal ratios: latencies have a long tail, so that bins of equal width would put nearly all into one.
_BIN_COUNT = 40


class Percentile(msgspec.Struct, frozen=True):
    """An estimate of a percentile of all latencies, with its 95 % interval over processes."""

    percentile: float  # above 0, below 100
    value: float | None  # None: too few latencies
    interval: Interval | None  # None: too few latencies, or a single process
    processes: int
    per_process: int  # latencies, on average


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of latencies; bin i is from edges_ms[i] to edges_ms[i + 1], in milliseconds."""

    edges_ms: list[float]
    counts: list[int]


def latencies_needed(percentile: float) -> int:
    """Return the number of latencies that a process needs for a percentile: p50 10, p90 50, p95 100, p99 500."""
    return math.ceil(_MIN_BEYOND * 100 / (100 - max(percentile, 100 - percentile)))


def percentiles(processes: Sequence[Values], wanted: Sequence[float] = PERCENTILES) -> list[Percentile]:
    """Return percentiles of all latencies, with intervals that take those of one process as dependent.

    ``processes`` has one array of latencies for each process; the results have their unit. There is no value if
    processes have fewer than `latencies_needed` on average, and no interval for a single process.

    An interval spans two, because each alone covers the percentile too rarely (studies/calibration/percentiles.py):
    `_by_shares` if only a few processes reach into the tail, `_by_processes` if processes differ in speed.
    """
    values = [np.sort(np.asarray(each, dtype=np.float64)) for each in processes if len(each)]
    per_process = sum(map(len, values)) // len(values) if values else 0
    pooled = np.sort(np.concatenate(values)) if values else np.empty(0)
    found = []
    for percent in wanted:
        enough = per_process >= latencies_needed(percent)
        value = float(np.percentile(pooled, percent)) if enough else None
        interval = None if value is None else _interval(values, pooled, percent, value)
        found.append(Percentile(percent, value, interval, len(values), per_process))
    return found


def _interval(processes: Sequence[Values], pooled: Values, percent: float, value: float) -> Interval | None:
    parts = [_by_shares(processes, pooled, percent), _by_processes(processes, value, percent)]
    found = [part for part in parts if part is not None]
    if not found:
        return None
    low, high = min(each.low for each in found), max(each.high for each in found)
    if percent > 50:  # p99 is not below p50, although Student's t of few processes may be
        low = max(low, float(np.median(pooled)))
    return Interval(min(low, value), max(high, value))


def _by_shares(processes: Sequence[Values], pooled: Values, percent: float) -> Interval | None:
    """Return the latencies of which the percentile may be one, by the share of each process's latencies above them.

    A latency is in the interval if Student's t over the processes does not reject that the share above it is
    1 - ``percent`` / 100. Sorted arrays; None for a single process.
    Sources: Woodruff 1952, "Confidence intervals for medians and other position measures"; ratio estimate of the share
    for processes of different sizes: Cochran, Sampling Techniques, 3rd ed., section 6.
    """
    count = len(processes)
    if count < 2:
        return None
    candidates = np.unique(pooled[_candidate_ranks(len(pooled))])
    sizes = np.array([len(each) for each in processes])
    above = np.array([len(each) - np.searchsorted(each, candidates, side="right") for each in processes])
    excess = (above - sizes[:, None] * (1 - percent / 100)) / sizes.mean()  # mean over processes: that of the share
    half = t_quantile(count - 1) * excess.std(axis=0, ddof=1) / math.sqrt(count)
    accepted = np.flatnonzero(np.abs(excess.mean(axis=0)) <= half)
    if not len(accepted):  # no process differs
        return None
    first, last = max(accepted[0] - 1, 0), min(accepted[-1] + 1, len(candidates) - 1)
    return Interval(float(candidates[first]), float(candidates[last]))


def _candidate_ranks(count: int) -> npt.NDArray[np.int64]:
    """Return ranks of ``count`` sorted values, all or ``_MAX_CANDIDATES``, which are denser in both tails."""
    if count <= _MAX_CANDIDATES:
        return np.arange(count)
    logits = np.linspace(-1, 1, _MAX_CANDIDATES) * math.log(2 * count)
    ranks: npt.NDArray[np.int64] = np.minimum(count / (1 + np.exp(-logits)), count - 1).astype(np.int64)
    return ranks


def _by_processes(processes: Sequence[Values], centre: float, percent: float) -> Interval | None:
    """Return Student's t of the processes' own percentiles, on a log scale around ``centre``.

    Processes with too few latencies have no percentile of their own. None for fewer than two others.
    """
    enough = [each for each in processes if len(each) >= latencies_needed(percent)]
    own = np.array([np.percentile(each, percent) for each in enough])
    if not len(own) or min(own.min(), centre) <= 0:  # a coarse clock may measure 0
        return None
    half = mean_half_width(np.log(own))
    return None if half is None else Interval(centre * math.exp(-half), centre * math.exp(half))


def histogram(values: npt.NDArray[np.float64]) -> Histogram:
    """Return the histogram of ``values``, in milliseconds, with 40 bins of equal ratio from minimum to maximum."""
    positive = np.maximum(values, 1e-6)  # one nanosecond: a coarse clock may measure 0
    low, high = float(positive.min()), float(positive.max())
    edges = np.geomspace(low, max(high, low * 1.001), _BIN_COUNT + 1)
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    counts, _ = np.histogram(positive, edges)
    return Histogram(edges_ms=[float(edge) for edge in edges], counts=[int(count) for count in counts])
