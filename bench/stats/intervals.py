"""Confidence intervals, outliers and tests as pure functions on numpy arrays. Each formula names its source."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.stats.student import t_quantile

__all__ = [
    "Interval",
    "PairedDifference",
    "binomial_half_tail",
    "difference_of_means",
    "drifts",
    "mcnemar",
    "mean_half_width",
    "mean_interval",
    "median",
    "median_interval",
    "median_interval_over_processes",
    "normal_p_value",
    "outliers",
    "paired_difference",
    "relative_deviation",
    "spread_warning",
    "welch_error",
    "welch_half_width",
    "wilson",
]

Values = npt.NDArray[np.float64]

CONFIDENCE = 0.95
#: Standard deviation, as a fraction of the mean, from which pyperf calls a benchmark unstable.
UNSTABLE = 0.10


class Interval(msgspec.Struct, frozen=True):
    """A 95 % confidence interval."""

    low: float
    high: float


class PairedDifference(msgspec.Struct, frozen=True):
    """A difference of two accuracies on the same images, as a proportion, with McNemar's exact p-value."""

    value: float
    interval: Interval
    only_first: int  # images that only the first classified correctly
    only_second: int  # images that only the second classified correctly
    p_value: float


# -- one sample ------------------------------------------------------------------------------------------------


def median_interval(values: Sequence[float] | Values) -> Interval | None:
    """Return the distribution-free interval of the median from order statistics.

    It is [X(l), X(n+1-l)] with the largest l for which 1 - 2·P(Binomial(n, ½) < l) ≥ 0.95; n = 30 gives [X(10), X(21)].
    Return None for fewer than 6 values, because no such interval has 95 % confidence.
    Source: David & Nagaraja, Order Statistics, 3rd ed., section 7.1.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    rank = _rank_of_low_end(n)
    return Interval(float(ordered[rank - 1]), float(ordered[n - rank])) if rank else None


@lru_cache(maxsize=256)
def _rank_of_low_end(n: int) -> int:
    """Return the rank l of `median_interval` for ``n`` values, from 1; 0 if there is none."""
    below, rank = 0.0, 0
    for candidate in range(n // 2):
        below += math.comb(n, candidate) / 2**n
        if 1 - 2 * below < CONFIDENCE:
            break
        rank = candidate + 1
    return rank


def median(values: npt.NDArray[np.float64] | npt.NDArray[np.integer[Any]]) -> float:
    """Return the median of one or more values, shape [n], as np.median does, which is ten times slower for few."""
    ordered = np.sort(values)
    # as Python's numbers, since packed arrays have integers of 8 or 16 bits, whose sum would overflow
    return (float(ordered[(len(ordered) - 1) // 2]) + float(ordered[len(ordered) // 2])) / 2


def median_interval_over_processes(processes: Sequence[Values]) -> Interval | None:
    """Return an interval of the median of all values, if values of one process are correlated.

    It spans two intervals, because each alone covers the median too rarely (studies/calibration/coverage.py).
    Order statistics assume independent trials. If processes differ, their coverage is about 65 % instead of 95 %.
    Student's t of the processes' medians, on a log scale around the overall median, assumes normality. If a machine
    changes between two speeds, its coverage is about 90 %. A single process gives only order statistics, valid for this
    process. Too few values for these give only Student's t. Return None if neither is possible.
    """
    values = [np.asarray(process, dtype=np.float64) for process in processes if len(process)]
    if not values:
        return None
    all_values = np.concatenate(values)
    by_order = median_interval(all_values)
    half = mean_half_width(np.log([median(process) for process in values]))
    if half is None:
        return by_order
    centre = median(all_values)
    by_process = Interval(centre * math.exp(-half), centre * math.exp(half))
    if by_order is None:
        return by_process
    return Interval(min(by_order.low, by_process.low), max(by_order.high, by_process.high))


def outliers(values: Sequence[float] | Values) -> list[int]:
    """Return indices of values more than 10 robust standard deviations (1.4826 × MAD) from the median.

    Outliers are reported, never removed. Source: Iglewicz & Hoaglin 1993. The wide limit follows hyperfine.
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) < 3:
        return []
    distance = np.abs(array - np.median(array))
    scale = 1.4826 * float(np.median(distance))
    return [int(index) for index in np.flatnonzero(distance > 10 * scale)] if scale else []


def relative_deviation(values: Sequence[float] | Values) -> float | None:
    """Return the standard deviation (n - 1) divided by the mean; None for fewer than two values."""
    array = np.asarray(values, dtype=np.float64)
    return float(array.std(ddof=1) / array.mean()) if len(array) > 1 else None


def spread_warning(values: Sequence[float] | Values) -> str | None:
    """Return pyperf's warning if the deviation is ≥ 10 % of the mean or an extreme ≥ 50 % away from it, or None."""
    deviation = relative_deviation(values)
    if deviation is None:
        return None
    if deviation >= UNSTABLE:
        return f"unstable: standard deviation is {100 * deviation:.0f} % of the mean"
    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean())
    if array.max() >= 1.5 * mean or array.min() <= 0.5 * mean:
        return "unstable: an extreme is more than 50 % away from the mean"
    return None


def drifts(values: Sequence[float] | Values) -> bool:
    """Return whether the last third's median is over 5 % above the first third's; the usual cause is heat."""
    array = np.asarray(values, dtype=np.float64)
    third = len(array) // 3
    return third >= 3 and float(np.median(array[-third:])) > 1.05 * float(np.median(array[:third]))


def wilson(right: int, total: int) -> Interval:
    """Return Wilson's score interval of a proportion (Wilson 1927, as recommended by Brown, Cai & DasGupta 2001)."""
    if not 0 <= right <= total or total == 0:
        raise ValueError(f"{right} of {total} is not a proportion")
    z, share = _Z_975, right / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


# -- two samples of times --------------------------------------------------------------------------------------


def difference_of_means(first: Sequence[Values], second: Sequence[Values]) -> tuple[float, Interval | None]:
    """Return the mean of ``first`` minus that of ``second``, in their unit, with Welch's interval over processes."""
    means, other_means = (np.array([values.mean() for values in side if len(values)]) for side in (first, second))
    centre = float(means.mean() - other_means.mean())
    half = welch_half_width(means, other_means)
    return centre, None if half is None else Interval(centre - half, centre + half)


def mean_interval(values: Sequence[float] | Values) -> tuple[float, Interval | None]:
    """Return the mean of at least one value and its interval by Student's t.

    The values must be independent, for example one per process. Source: Student 1908, "The probable error of a mean".
    """
    array = np.asarray(values, dtype=np.float64)
    centre, half = float(array.mean()), mean_half_width(array)
    return centre, None if half is None else Interval(centre - half, centre + half)


def mean_half_width(values: Values) -> float | None:
    """Return half the width of `mean_interval`; None for fewer than two values."""
    if len(values) < 2:
        return None
    return t_quantile(len(values) - 1) * float(values.std(ddof=1)) / math.sqrt(len(values))


# -- two classifiers on the same images ------------------------------------------------------------------------


def mcnemar(only_first: int, only_second: int) -> float:
    """Return McNemar's exact two-sided p-value, from Binomial(discordant, ½) (McNemar 1947; Agresti 2013, 11.1)."""
    return min(1.0, 2 * binomial_half_tail(max(only_first, only_second), min(only_first, only_second)))


def binomial_half_tail(only_first: int, only_second: int) -> float:
    """Return the probability of at least ``only_first`` successes of all, each with probability ½.

    This is McNemar's exact one-sided p-value of "the first is not better than the second".
    """
    discordant = only_first + only_second
    term = total = 1
    for count in range(1, only_second + 1):
        term = term * (discordant - count + 1) // count
        total += term
    return float(total / 2**discordant)


def paired_difference(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> PairedDifference:
    """Return the accuracy of ``first`` minus that of ``second``: correct or not on the same images, shape [n] each.

    The interval is Wald's with half an image added to each of the four cells (Agresti & Min 2005, "Simple improved
    confidence intervals for comparing matched proportions"). Raise ValueError for no images or different shapes.
    """
    n = len(first)
    if n == 0 or len(second) != n:
        raise ValueError("a paired difference needs the same images on both sides, and at least one")
    only_first = int(np.count_nonzero(first & ~second))
    only_second = int(np.count_nonzero(second & ~first))
    b, c, total = only_first + 0.5, only_second + 0.5, n + 2
    half = _Z_975 * math.sqrt(b + c - (b - c) ** 2 / total) / total
    centre = (b - c) / total
    return PairedDifference(
        value=(only_first - only_second) / n,
        interval=Interval(centre - half, centre + half),
        only_first=only_first,
        only_second=only_second,
        p_value=mcnemar(only_first, only_second),
    )


def normal_p_value(interval: Interval, value: float) -> float:
    """Return the two-sided p-value of ``value`` for an estimate whose 95 % interval is that of a normal distribution.

    It is below 0.05 exactly if the interval excludes ``value``.
    """
    error = (interval.high - interval.low) / (2 * _Z_975)
    distance = abs((interval.high + interval.low) / 2 - value)
    return math.erfc(distance / error / math.sqrt(2)) if error else float(distance == 0)


# -- quantiles and half widths ---------------------------------------------------------------------------------

_Z_975 = 1.959963984540054  # 0.975 quantile of the standard normal distribution


def welch_error(first: Values, second: Values) -> tuple[float, float] | None:
    """Return the standard error of a difference of means and its degrees of freedom; None for fewer than 2 values.

    The freedom is infinite if no value differs. Source: Welch 1947, with Satterthwaite's degrees of freedom.
    """
    if min(len(first), len(second)) < 2:
        return None
    first_part, second_part = (float(side.var(ddof=1)) / len(side) for side in (first, second))
    variance = first_part + second_part
    if variance == 0:
        return 0.0, math.inf
    freedom = variance**2 / (first_part**2 / (len(first) - 1) + second_part**2 / (len(second) - 1))
    return math.sqrt(variance), freedom


def welch_half_width(first: Values, second: Values) -> float | None:
    """Return half of the 95 % interval of a difference of means by `welch_error`; None for fewer than 2 values."""
    error = welch_error(first, second)
    return None if error is None else t_quantile(error[1]) * error[0]
