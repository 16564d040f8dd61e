"""Differences of times with their intervals, and whether a mean depends on single values, as pure functions."""

from collections.abc import Sequence

import msgspec
import numpy as np

from edge_bench.bench.stats.intervals import Interval, Values, mean_half_width, outliers, welch_half_width
from edge_bench.bench.stats.ratios import median_difference, pseudo_values

__all__ = ["MOVED_MEAN", "Shift", "interleaved_shift", "rests_on_outlier", "unpaired_shift"]

#: A mean depends on a single value if it changes by this fraction without it: the material difference of MLPerf.
MOVED_MEAN = 0.02


class Shift(msgspec.Struct, frozen=True):
    """A difference in the unit of the values. The interval is None if there are too few processes."""

    value: float
    interval: Interval | None


def interleaved_shift(first: Sequence[Values], second: Sequence[Values]) -> Shift:
    """Return the difference ``first`` - ``second`` from interleaved trials: the median of all pairwise differences.

    Each argument has one array per process generation, shape [trials]; both have the same generations, of which
    those with a trial on both sides count. This is Hodges & Lehmann's estimate of a shift (1963). The interval is
    Student's t over the jackknife's pseudo-values, leaving out one generation at a time, as for the ratios of
    bench/stats/ratios.py. Raise ValueError if no generation has both.
    """
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if len(a) and len(b)]
    if not pairs:
        raise ValueError("no process generation has trials of both")
    value = median_difference(*zip(*pairs, strict=True))
    values = pseudo_values(lambda subset: median_difference(*zip(*subset, strict=True)), pairs)
    return _shift(value, mean_half_width(values))


def unpaired_shift(first: Sequence[Values], second: Sequence[Values]) -> Shift:
    """Return the difference for two separate runs, as `interleaved_shift` but with Welch's interval.

    The interval includes only variation of processes, not from run to run.
    """
    groups, other_groups = ([values for values in side if len(values)] for side in (first, second))
    values = pseudo_values(lambda subset: median_difference(subset, other_groups), groups)
    other_values = pseudo_values(lambda subset: median_difference(groups, subset), other_groups)
    return _shift(median_difference(groups, other_groups), welch_half_width(values, other_values))


def _shift(value: float, half: float | None) -> Shift:
    return Shift(value, None if half is None else Interval(value - half, value + half))


def rests_on_outlier(values: Sequence[float] | Values) -> bool:
    """Return whether a mean of trials depends on single ones.

    It does if up to a tenth of the trials (at least one) are `outliers`, or if the mean without the farthest trial
    differs by more than 2 %. More than a tenth of the trials are another speed of the machine, not outliers.
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) < 2:
        return False
    mean = float(array.mean())
    others = np.delete(array, np.abs(array - mean).argmax())
    few = 0 < len(outliers(array)) <= max(1, len(array) // 10)
    return few or abs(float(others.mean()) - mean) > MOVED_MEAN * abs(mean)
