"""Pure functions: numbers in, intervals and verdicts out. numpy only; every formula names its source."""

import math
from collections.abc import Sequence
from functools import cache

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = [
    "Interval",
    "PairedDifference",
    "difference_of_means",
    "drifts",
    "mcnemar",
    "mean_half_width",
    "mean_interval",
    "median_interval",
    "median_interval_over_processes",
    "outliers",
    "paired_difference",
    "percentile_supported",
    "relative_deviation",
    "spread_warning",
    "t_quantile",
    "welch_half_width",
    "wilson",
]

Values = npt.NDArray[np.float64]

CONFIDENCE = 0.95
#: pyperf calls a benchmark unstable from a standard deviation of 10 % of the mean on.
UNSTABLE = 0.10


class Interval(msgspec.Struct, frozen=True):
    """A 95 % confidence interval."""

    low: float
    high: float


class PairedDifference(msgspec.Struct, frozen=True):
    """A difference of two accuracies on the same images, as a proportion, with McNemar's exact p-value."""

    value: float
    interval: Interval
    only_first: int  # images that only the first got right
    only_second: int
    p_value: float


# -- one sample ------------------------------------------------------------------------------------------------


def median_interval(values: Sequence[float] | Values) -> Interval | None:
    """Distribution-free interval of the median from order statistics; None below 6 values, where none has 95 %.

    [X(l), X(n+1-l)] with the largest l that keeps 1 - 2·P(Binomial(n, ½) < l) ≥ 0.95; n = 30 gives [X(10), X(21)].
    Source: David & Nagaraja, Order Statistics, 3rd ed., section 7.1.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    below, rank = 0.0, 0
    for candidate in range(n // 2):
        below += math.comb(n, candidate) / 2**n
        if 1 - 2 * below < CONFIDENCE:
            break
        rank = candidate + 1
    return Interval(float(ordered[rank - 1]), float(ordered[n - rank])) if rank else None


def median_interval_over_processes(processes: Sequence[Values]) -> Interval | None:
    """Interval of the median of all values, where values of one process resemble each other.

    From the lower to the upper end of two intervals, each of which misses what the other sees. Order statistics take
    all trials as independent: where processes differ, theirs holds the truth in some 65 % of the cases, not 95.
    Student's t of the processes' medians, on a log scale around the median of all values, takes them as normal: where a
    machine changes between two speeds, it holds it in some 90 % (studies/calibration/coverage.py). Of a single process,
    order statistics alone, which then speak for that process only; of too few values for those, Student's t alone.
    """
    values = [np.asarray(process, dtype=np.float64) for process in processes if len(process)]
    if not values:
        return None
    together = np.concatenate(values)
    by_order = median_interval(together)
    half = mean_half_width(np.array([np.log(np.median(process)) for process in values]))
    if half is None:
        return by_order
    centre = float(np.median(together))
    by_process = Interval(centre * math.exp(-half), centre * math.exp(half))
    if by_order is None:
        return by_process
    return Interval(min(by_order.low, by_process.low), max(by_order.high, by_process.high))


def percentile_supported(percentile: float, count: int) -> bool:
    """Whether ``count`` values bound the percentile (0..100) from above with 95 % confidence.

    The largest of n values exceeds it with probability 1 - q^n: p90 needs 29 values, p95 59, p99 299.
    Source: Wilks 1941, "Determination of sample sizes for setting tolerance limits".
    """
    return 1 - (percentile / 100) ** count >= CONFIDENCE


def outliers(values: Sequence[float] | Values) -> list[int]:
    """Indices of values more than 10 robust standard deviations (1.4826 × MAD) from the median.

    Flagged, never dropped. Source: Iglewicz & Hoaglin 1993; the wide limit follows hyperfine.
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) < 3:
        return []
    distance = np.abs(array - np.median(array))
    scale = 1.4826 * float(np.median(distance))
    return [int(index) for index in np.flatnonzero(distance > 10 * scale)] if scale else []


def relative_deviation(values: Sequence[float] | Values) -> float | None:
    """Standard deviation (n - 1) over the mean; None for fewer than two values."""
    array = np.asarray(values, dtype=np.float64)
    return float(array.std(ddof=1) / array.mean()) if len(array) > 1 else None


def spread_warning(values: Sequence[float] | Values) -> str | None:
    """Pyperf's two warnings: sd of at least 10 % of the mean, or an extreme at least 50 % away from it."""
    deviation = relative_deviation(values)
    if deviation is None:
        return None
    if deviation >= UNSTABLE:
        return f"unstable: standard deviation is {deviation:.0%} of the mean"
    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean())
    if array.max() >= 1.5 * mean or array.min() <= 0.5 * mean:
        return "unstable: an extreme is more than 50 % away from the mean"
    return None


def drifts(values: Sequence[float] | Values) -> bool:
    """Whether the last third's median is more than 5 % above the first third's: heat, usually."""
    array = np.asarray(values, dtype=np.float64)
    third = len(array) // 3
    return third >= 3 and float(np.median(array[-third:])) > 1.05 * float(np.median(array[:third]))


def wilson(right: int, total: int) -> Interval:
    """Wilson's score interval of a proportion. Source: Wilson 1927; Brown, Cai & DasGupta 2001 recommend it."""
    if not 0 <= right <= total or total == 0:
        raise ValueError(f"{right} of {total} is no proportion")
    z = _Z
    share = right / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


# -- two samples of times --------------------------------------------------------------------------------------


def difference_of_means(first: Sequence[Values], second: Sequence[Values]) -> tuple[float, Interval | None]:
    """Mean of ``first`` minus mean of ``second``, in their unit, with Welch's interval over processes."""
    sides = [np.array([values.mean() for values in side if len(values)]) for side in (first, second)]
    centre = float(sides[0].mean() - sides[1].mean())
    half = welch_half_width(*sides)
    return centre, None if half is None else Interval(centre - half, centre + half)


def mean_interval(values: Sequence[float] | Values) -> tuple[float, Interval | None]:
    """Mean and its interval by Student's t; for values that are independent, one a process say. At least one value.

    Source: Student 1908, "The probable error of a mean".
    """
    array = np.asarray(values, dtype=np.float64)
    centre, half = float(array.mean()), mean_half_width(array)
    return centre, None if half is None else Interval(centre - half, centre + half)


def mean_half_width(values: Values) -> float | None:
    """Half the width of `mean_interval`; None of a single value."""
    if len(values) < 2:
        return None
    return t_quantile(len(values) - 1) * float(values.std(ddof=1)) / math.sqrt(len(values))


# -- two classifiers on the same images ------------------------------------------------------------------------


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p-value of McNemar's test: Binomial(discordant, ½). Source: McNemar 1947; Agresti 2013, 11.1."""
    discordant = only_first + only_second
    fewer = min(only_first, only_second)
    term = total = 1
    for count in range(1, fewer + 1):
        term = term * (discordant - count + 1) // count
        total += term
    return min(1.0, float(2 * total / 2**discordant))


def paired_difference(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> PairedDifference:
    """Accuracy of ``first`` minus accuracy of ``second``, both shape [n]: right or wrong on the same images.

    Interval: Wald's with half an image added to each of the four cells (Agresti & Min 2005, "Simple improved
    confidence intervals for comparing matched proportions").
    """
    n = len(first)
    if n == 0 or len(second) != n:
        raise ValueError("a paired difference needs the same images on both sides, and at least one")
    only_first = int(np.count_nonzero(first & ~second))
    only_second = int(np.count_nonzero(second & ~first))
    b, c, total = only_first + 0.5, only_second + 0.5, n + 2
    half = _Z * math.sqrt(b + c - (b - c) ** 2 / total) / total
    centre = (b - c) / total
    return PairedDifference(
        value=(only_first - only_second) / n,
        interval=Interval(centre - half, centre + half),
        only_first=only_first,
        only_second=only_second,
        p_value=mcnemar(only_first, only_second),
    )


# -- what they share -------------------------------------------------------------------------------------------

_Z = 1.959963984540054  # standard normal, 0.975


def welch_half_width(first: Values, second: Values) -> float | None:
    """Half the width of Welch's interval. Source: Welch 1947, with Satterthwaite's degrees of freedom."""
    if min(len(first), len(second)) < 2:
        return None
    parts = [float(side.var(ddof=1)) / len(side) for side in (first, second)]
    error = sum(parts)
    if error == 0:
        return 0.0
    freedom = error**2 / sum(part**2 / (len(side) - 1) for part, side in zip(parts, (first, second), strict=True))
    return t_quantile(freedom) * math.sqrt(error)


@cache
def t_quantile(freedom: float) -> float:
    """The 0.975 quantile of Student's t, by bisection on its integrated density (Simpson's rule, 2,000 steps)."""
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)

    def beyond_zero(limit: float) -> float:
        x = np.linspace(0.0, limit, 2_001)
        y = scale * (1 + x * x / freedom) ** (-(freedom + 1) / 2)
        return float((y[0] + y[-1] + 4 * y[1:-1:2].sum() + 2 * y[2:-1:2].sum()) * (x[1] - x[0]) / 3)

    low, high = 0.0, 13.0  # one degree of freedom, the widest, has 12.7
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond_zero(middle) < 0.475 else (low, middle)
    return (low + high) / 2
