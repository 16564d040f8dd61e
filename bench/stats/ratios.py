"""Ratios of times with their intervals, and verdicts on them, as pure functions."""

import math
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np

from edge_bench.bench.stats.intervals import Interval, Values, mean_half_width, welch_half_width

__all__ = ["Ratio", "Verdict", "interleaved_ratio", "paired_ratio", "unpaired_ratio", "verdict"]

#: Relative difference from which MLPerf calls a result materially different.
MATERIAL = 0.02
#: Values of each side of which all pairwise differences are computed at most, to bound memory.
_MAX_TRIALS = 1_000


class Ratio(msgspec.Struct, frozen=True):
    """A ratio of two times; the interval is None if there are too few processes."""

    value: float
    interval: Interval | None


class Verdict(StrEnum):
    """Conclusion that the interval of a time ratio supports."""

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
    return _ratio(float(logs.mean()), mean_half_width(logs))


def interleaved_ratio(first: Sequence[Values], second: Sequence[Values]) -> Ratio:
    """Return the ratio of ``first`` to ``second`` from interleaved trials; arguments as for `paired_ratio`.

    The value is the median of the ratios of every trial of ``first`` to every trial of ``second``, Hodges & Lehmann's
    estimate of a shift of logarithms (1963). A shared machine changes between a few speeds every other second. Most of
    these ratios are of two trials at the same speed, whatever the share of each speed; the others cancel. Medians,
    minima and ratios of neighbours fail if a process or a round had another speed (docs/calibration.md compares them).

    The interval is Student's t over the jackknife's pseudo-values, leaving out one process generation at a time,
    because processes vary more than trials within one (Kalibera & Jones 2013). The jackknife is valid for medians if
    it leaves out more than the square root of the number of trials (Shao & Wu 1989), for example 6 of 30.
    """
    pairs = [(np.log(a), np.log(b)) for a, b in zip(first, second, strict=True) if len(a)]
    half = mean_half_width(_pseudo_values(lambda subset: _median_difference(*zip(*subset, strict=True)), pairs))
    return _ratio(_median_difference(*zip(*pairs, strict=True)), half)


def unpaired_ratio(first: Sequence[Values], second: Sequence[Values]) -> Ratio:
    """Return the ratio for two separate runs, as `interleaved_ratio` but with Welch's interval over pseudo-values."""
    logs, other_logs = ([np.log(values) for values in side if len(values)] for side in (first, second))
    values = _pseudo_values(lambda subset: _median_difference(subset, other_logs), logs)
    other_values = _pseudo_values(lambda subset: _median_difference(logs, subset), other_logs)
    half = welch_half_width(values, other_values)
    return _ratio(_median_difference(logs, other_logs), half)


def verdict(ratio: Ratio) -> Verdict:
    """Return faster or slower if the whole interval is beyond ±2 %, same if it is all within, otherwise undecided."""
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


def _median_difference(first: Sequence[Values], second: Sequence[Values]) -> float:
    """Return the median of all differences between a value of ``first`` and one of ``second``."""
    differences = np.subtract.outer(_thinned(np.concatenate(first)), _thinned(np.concatenate(second))).ravel()
    differences.sort()  # np.median takes several times as long for so few values
    return float(differences[(len(differences) - 1) // 2] + differences[len(differences) // 2]) / 2


def _thinned(values: Values) -> Values:
    """Return the values, or ``_MAX_TRIALS`` quantiles of them if there are more."""
    return values if len(values) <= _MAX_TRIALS else np.quantile(values, (np.arange(_MAX_TRIALS) + 0.5) / _MAX_TRIALS)


def _pseudo_values(statistic: Callable[[Sequence[Any]], float], groups: Sequence[Any]) -> Values:
    """Return the jackknife's pseudo-values, one per group; zeros for one group. Source: Tukey 1958."""
    count = len(groups)
    if count < 2:
        return np.zeros(count)
    leave_one_out = [statistic([*groups[:number], *groups[number + 1 :]]) for number in range(count)]
    return count * statistic(groups) - (count - 1) * np.array(leave_one_out)


def _ratio(centre: float, half: float | None) -> Ratio:
    """Return the ratio from its logarithm and from half the width of the logarithm's interval."""
    interval = None if half is None else Interval(math.exp(centre - half), math.exp(centre + half))
    return Ratio(math.exp(centre), interval)
