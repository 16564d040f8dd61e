"""Ratios of times with their intervals, and verdicts on them, as pure functions."""

import math
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np

from edge_bench.bench.stats.intervals import CONFIDENCE, Interval, Values, welch_error
from edge_bench.bench.stats.student import holm, t_quantile, t_tail

__all__ = [
    "MATERIAL",
    "Ratio",
    "Verdict",
    "interleaved_ratio",
    "median_difference",
    "p_value",
    "paired_ratio",
    "pseudo_values",
    "ratio_from",
    "unpaired_ratio",
    "verdict",
    "verdicts",
]

#: Relative difference that MLPerf calls material.
MATERIAL = 0.02
#: Maximum number of values per side for computing all pairwise differences, to limit memory.
_MAX_TRIALS = 1_000


class Ratio(msgspec.Struct, frozen=True):
    """A ratio of two times. The interval and its error are None if there are too few processes."""

    value: float
    interval: Interval | None
    standard_error: float | None = None  # of the ratio's logarithm
    freedom: float | None = None  # degrees of freedom of ``standard_error``; None: infinite, or no error


class Verdict(StrEnum):
    """Conclusion supported by the interval of a time ratio."""

    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same"
    UNDECIDED = "undecided"


def paired_ratio(first: Sequence[Values], second: Sequence[Values]) -> Ratio:
    """Return the ratio of ``first`` to ``second`` from rounds that were measured in pairs.

    Each argument has one array per process generation, with one time per round. Round r of generation g of both ran
    one after the other, so that common drift cancels in their ratio.

    The value is the geometric mean over generations of the median ratio of their rounds. The median limits the effect
    of a disturbed round. The interval is Student's t over the generations' logarithms, with (generations - 1) degrees
    of freedom, because processes vary more than rounds within one (Kalibera & Jones 2013). A single generation gives no
    interval. A percentile bootstrap over 5 processes covers about 85 % instead of 95 % (studies/calibration).

    Use this for times that include waiting, such as for a network. Use `interleaved_ratio` for compute times.
    """
    logs = np.array([np.median(np.log(a / b)) for a, b in zip(first, second, strict=True) if len(a)])
    return ratio_from(float(logs.mean()), *_error(logs))


def interleaved_ratio(first: Sequence[Values], second: Sequence[Values]) -> Ratio:
    """Return the ratio of ``first`` to ``second`` from interleaved trials; arguments as for `paired_ratio`.

    The value is the median of the ratios of every trial of ``first`` to every trial of ``second``, Hodges & Lehmann's
    estimate of a shift of logarithms (1963). A shared machine changes between a few speeds every other second. Most of
    these ratios are of two trials at the same speed, regardless of the fraction of each speed. The others cancel.
    Medians, minima and ratios of neighbours fail if a process or a round had another speed (docs/calibration.md
    compares them).

    The interval is Student's t over the jackknife's pseudo-values, leaving out one process generation at a time,
    because processes vary more than trials within one (Kalibera & Jones 2013). The jackknife is valid for medians if
    it leaves out more than the square root of the number of trials (Shao & Wu 1989), for example 6 of 30.
    """
    pairs = [(np.log(a), np.log(b)) for a, b in zip(first, second, strict=True) if len(a)]
    values = pseudo_values(lambda subset: median_difference(*zip(*subset, strict=True)), pairs)
    return ratio_from(median_difference(*zip(*pairs, strict=True)), *_error(values))


def unpaired_ratio(first: Sequence[Values], second: Sequence[Values]) -> Ratio:
    """Return the ratio for two separate runs, as `interleaved_ratio` but with Welch's interval over pseudo-values."""
    logs, other_logs = ([np.log(values) for values in side if len(values)] for side in (first, second))
    values = pseudo_values(lambda subset: median_difference(subset, other_logs), logs)
    other_values = pseudo_values(lambda subset: median_difference(logs, subset), other_logs)
    error, freedom = welch_error(values, other_values) or (None, None)
    return ratio_from(median_difference(logs, other_logs), error, freedom)


def p_value(ratio: Ratio, beyond: float = MATERIAL) -> float:
    """Return the two-sided p-value of "the ratio is within 1 ± ``beyond``"; 1 without an interval.

    It is below 0.05 exactly if the 95 % interval is entirely beyond.
    """
    if ratio.standard_error is None:
        return 1.0
    log = math.log(ratio.value)
    distance = max(log - math.log1p(beyond), math.log1p(-beyond) - log)
    if ratio.standard_error == 0:
        return float(distance <= 0)
    freedom = math.inf if ratio.freedom is None else ratio.freedom
    return min(1.0, 2 * t_tail(distance / ratio.standard_error, freedom))


def verdicts(ratios: Sequence[Ratio | None]) -> list[Verdict | None]:
    """Return the verdicts on ratios that are read together: any faster or slower is wrong in at most 5 % (Holm 1979).

    A ratio whose own interval is beyond 2 %, but not with this correction, is undecided. "Same" needs no correction: it
    is a statement about one ratio, wrong in at most 5 % of the cases in which that ratio is beyond 2 %.
    """
    adjusted = iter(holm([p_value(ratio) for ratio in ratios if ratio is not None]))
    return [None if ratio is None else _corrected(verdict(ratio), next(adjusted)) for ratio in ratios]


def _corrected(alone: Verdict, adjusted_p: float) -> Verdict:
    decided = alone in (Verdict.FASTER, Verdict.SLOWER)
    return Verdict.UNDECIDED if decided and adjusted_p >= 1 - CONFIDENCE else alone


def verdict(ratio: Ratio) -> Verdict:
    """Return faster or slower if the interval is entirely beyond ±2 %, same if entirely within, else undecided."""
    if ratio.interval is None:
        return Verdict.UNDECIDED
    low, high = ratio.interval.low, ratio.interval.high
    if high < 1 - MATERIAL:
        return Verdict.FASTER
    if low > 1 + MATERIAL:
        return Verdict.SLOWER
    if low >= 1 - MATERIAL and high <= 1 + MATERIAL:
        return Verdict.SAME
    return Verdict.UNDECIDED


def median_difference(first: Sequence[Values], second: Sequence[Values]) -> float:
    """Return the median of all differences between a value of ``first`` and one of ``second``."""
    differences = np.subtract.outer(_thinned(np.concatenate(first)), _thinned(np.concatenate(second))).ravel()
    differences.sort()  # np.median takes several times as long for so few values
    return float(differences[(len(differences) - 1) // 2] + differences[len(differences) // 2]) / 2


def _thinned(values: Values) -> Values:
    """Return the values, or ``_MAX_TRIALS`` quantiles of them if there are more."""
    return values if len(values) <= _MAX_TRIALS else np.quantile(values, (np.arange(_MAX_TRIALS) + 0.5) / _MAX_TRIALS)


def pseudo_values(statistic: Callable[[Sequence[Any]], float], groups: Sequence[Any]) -> Values:
    """Return the jackknife's pseudo-values, one per group; zeros for one group. Source: Tukey 1958."""
    count = len(groups)
    if count < 2:
        return np.zeros(count)
    leave_one_out = [statistic([*groups[:number], *groups[number + 1 :]]) for number in range(count)]
    return count * statistic(groups) - (count - 1) * np.array(leave_one_out)


def _error(values: Values) -> tuple[float | None, float | None]:
    """Return the standard error of a mean and its degrees of freedom; two None for fewer than two values."""
    if len(values) < 2:
        return None, None
    return float(values.std(ddof=1)) / math.sqrt(len(values)), len(values) - 1


def ratio_from(centre: float, standard_error: float | None, freedom: float | None) -> Ratio:
    """Return the ratio with its 95 % interval, from its logarithm and that one's error; freedom may be infinite."""
    if standard_error is None or freedom is None:
        return Ratio(math.exp(centre), None)
    half = t_quantile(freedom) * standard_error
    interval = Interval(math.exp(centre - half), math.exp(centre + half))
    return Ratio(math.exp(centre), interval, standard_error, None if math.isinf(freedom) else freedom)
