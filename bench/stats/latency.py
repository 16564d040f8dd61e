"""Percentiles of latencies with their intervals over processes, and histograms."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.stats.intervals import Interval, Values
from edge_bench.bench.stats.student import t_quantile

__all__ = ["PERCENTILES", "Histogram", "Percentile", "histogram", "latencies_needed", "percentiles"]

PERCENTILES = (50, 90, 99)
#: Minimum average number of latencies per process beyond a percentile, for an estimate of this percentile.
_MIN_BEYOND = 5
#: One-sided confidence of an interval's high end at these percentiles, interpolated between them. A sample of five
#: processes often lacks the few that have many slow latencies. With 97.5 %, intervals of p90 and p95 were therefore
#: entirely too low in 8 to 11 % of cases. Source: Loh 1987, "Calibrating confidence coefficients", with the Runs of
#: docs/calibration.md; the command is `python -m studies.calibration.percentiles RUN.json... --splits 1 2 3 4 5 6 7 8`.
_HIGH_LEVELS = {50: 0.975, 90: 0.99, 95: 0.99, 99: 0.975}
_LOW_LEVEL = 0.975
#: Maximum number of latencies at which an interval is tested.
_MAX_CANDIDATES = 1_000
#: Bins have equal ratios. Latencies have a long tail, so bins of equal width would put nearly all into one.
_BIN_COUNT = 40


class Percentile(msgspec.Struct, frozen=True):
    """An estimate of a percentile of all latencies, with its 95 % interval over processes."""

    percentile: float  # above 0, below 100
    value: float | None  # None: too few latencies
    interval: Interval | None  # None: too few latencies, or a single process
    processes: int
    per_process: int  # latencies, on average


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of latencies. Bin i is from edges_ms[i] to edges_ms[i + 1], in milliseconds."""

    edges_ms: list[float]
    counts: list[int]


def latencies_needed(percentile: float) -> int:
    """Return the number of latencies that a process needs for a percentile: p50 10, p90 50, p95 100, p99 500."""
    return math.ceil(_MIN_BEYOND * 100 / (100 - max(percentile, 100 - percentile)))


def percentiles(
    processes: Sequence[Values], wanted: Sequence[float] = PERCENTILES, high_level: float | None = None
) -> list[Percentile]:
    """Return percentiles of all latencies, with intervals that treat those of one process as dependent.

    ``processes`` has one array of latencies for each process. The results have their unit. There is no value if
    processes have fewer than `latencies_needed` on average, and no interval for a single process. ``high_level`` is the
    one-sided confidence of the high ends, from 0.5 to 1. By default it is the calibrated one of each percentile.
    """
    calibrated = np.interp(wanted, list(_HIGH_LEVELS), list(_HIGH_LEVELS.values())).tolist()
    values = [np.sort(np.asarray(each, dtype=np.float64)) for each in processes if len(each)]
    per_process = sum(map(len, values)) // len(values) if values else 0
    pooled = np.sort(np.concatenate(values), kind="stable") if values else np.empty(0)  # it merges sorted parts
    found = []
    for percent, level in zip(wanted, calibrated, strict=True):
        enough = per_process >= latencies_needed(percent)
        value = float(np.percentile(pooled, percent)) if enough else None
        interval = None
        if value is not None and len(values) > 1:
            interval = _interval(values, pooled, percent, value, high_level or level)
        found.append(Percentile(percent, value, interval, len(values), per_process))
    return found


def _interval(processes: Sequence[Values], pooled: Values, percent: float, value: float, high_level: float) -> Interval:
    """Return the interval of latencies that may be the percentile, by each process's fraction of higher latencies.

    A latency is in the interval if a test over the processes does not reject that the share above it is
    1 - ``percent`` / 100. Arrays are sorted, of at least two processes.
    Source: Woodruff 1952, "Confidence intervals for medians and other position measures"; shares of processes of
    different sizes as ratio estimates (Cochran, Sampling Techniques, 3rd ed., section 6).
    """
    candidates = np.unique(pooled[_candidate_ranks(len(pooled))])
    sizes = np.array([len(each) for each in processes])
    above = np.array([len(each) - np.searchsorted(each, candidates, side="right") for each in processes])
    excess = (above - sizes[:, None] * (1 - percent / 100)) / sizes.mean()
    accepted = np.flatnonzero(_may_be_zero(excess, high_level))
    if not len(accepted):  # no process differs
        return Interval(value, value)
    first, last = max(accepted[0] - 1, 0), min(accepted[-1] + 1, len(candidates) - 1)
    return Interval(min(value, float(candidates[first])), max(value, float(candidates[last])))


def _may_be_zero(values: Values, high_level: float) -> npt.NDArray[np.bool_]:
    """Return whether the mean of each column of ``values`` [processes, columns] may be zero.

    A mean below zero may be zero with the one-sided confidence ``high_level``, one above zero with ``_LOW_LEVEL``.

    A tail often belongs to few processes, so that fractions are skewed and Student's t misses their mean too often:
    intervals of p90 covered 85 % of real latencies. Hall's transformation removes the skewness.
    Source: Hall 1992, "On the removal of skewness by transformation"; Fisher's unbiased estimate of the skewness.
    """
    count = len(values)
    mean, deviation = values.mean(axis=0), values.std(axis=0, ddof=1)
    scale = np.where(deviation > 0, deviation, 1)
    ratio, skewness = mean / scale, np.zeros_like(mean)
    if count > 2:
        skewness = count / ((count - 1) * (count - 2)) * (((values - mean) / scale) ** 3).sum(axis=0)
    transformed = ratio + skewness * ratio**2 / 3 + skewness**2 * ratio**3 / 27 + skewness / (6 * count)
    least, most = -t_quantile(count - 1, high_level), t_quantile(count - 1, _LOW_LEVEL)
    may: npt.NDArray[np.bool_] = (transformed * math.sqrt(count) >= least) & (transformed * math.sqrt(count) <= most)
    return np.where(deviation > 0, may, mean == 0)


def _candidate_ranks(count: int) -> npt.NDArray[np.int64]:
    """Return ranks of ``count`` sorted values, all or ``_MAX_CANDIDATES``, which are denser in both tails."""
    if count <= _MAX_CANDIDATES:
        return np.arange(count)
    logits = np.linspace(-1, 1, _MAX_CANDIDATES) * math.log(2 * count)
    ranks: npt.NDArray[np.int64] = np.minimum(count / (1 + np.exp(-logits)), count - 1).astype(np.int64)
    return ranks


def histogram(values: npt.NDArray[np.float64]) -> Histogram:
    """Return the histogram of ``values``, in milliseconds, with 40 bins of equal ratio from minimum to maximum."""
    positive = np.maximum(values, 1e-6)  # one nanosecond: a coarse clock may measure 0
    low, high = float(positive.min()), float(positive.max())
    edges = np.geomspace(low, max(high, low * 1.001), _BIN_COUNT + 1)
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    counts, _ = np.histogram(positive, edges)
    return Histogram(edges_ms=[float(edge) for edge in edges], counts=[int(count) for count in counts])
