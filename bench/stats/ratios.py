"""Pure functions: how many times as long one thing takes as another, with an interval, and what that allows to say."""

import math
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np

from edge_bench.bench.stats.intervals import Interval, Values, mean_half_width, welch_half_width

__all__ = ["Ratio", "Verdict", "interleaved_ratio", "paired_ratio", "unpaired_ratio", "verdict"]

#: MLPerf calls a result materially different from 2 % on.
MATERIAL = 0.02
#: Trials of one side whose differences from all of the other are looked at.
_MOST = 1_000


class Ratio(msgspec.Struct, frozen=True):
    """A ratio of two times; the interval is missing where there are too few processes to have one."""

    value: float
    interval: Interval | None


class Verdict(StrEnum):
    """What an interval of a time ratio allows to say."""

    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same"
    UNDECIDED = "undecided"


def paired_ratio(first: Sequence[Values], second: Sequence[Values]) -> Ratio:
    """How many times as long as ``second`` the ``first`` takes, from interleaved rounds.

    Each argument holds one array a process generation, each array one time a round; round r of generation g of both
    ran next to each other, so their ratio is free of the drift that hit both. The value is the geometric mean over
    generations of the median ratio of their rounds; the interval is Student's t over the generations' logarithms, with
    (generations - 1) degrees of freedom, because what differs between processes is what repeats least (Kalibera &
    Jones 2013). The median within a generation, because a round in which something interfered would otherwise widen
    the interval of all; t, because a percentile bootstrap over 5 processes covers about 85 % instead of 95 %.
    studies/calibration holds both to account. With a single generation there is no interval.

    This is for what is waited for, each answer next to the other one, such as over a network; for what a machine takes,
    `interleaved_ratio`.
    """
    logs = np.array([np.median(np.log(a / b)) for a, b in zip(first, second, strict=True) if len(a)])
    return _ratio(float(logs.mean()), mean_half_width(logs))


def interleaved_ratio(first: Sequence[Values], second: Sequence[Values]) -> Ratio:
    """How many times as long as ``second`` the ``first`` takes, from trials of both that were interleaved.

    Arguments as for `paired_ratio`. The value is the median of the ratios of every trial of the one to every trial of
    the other, which is Hodges & Lehmann's estimate of a shift of logarithms (1963). A shared machine has a few speeds,
    and changes between them every other second: then most of these ratios are of two trials at the same speed, whatever
    the share of each, and the others lie to both sides and cancel. Medians, minima and ratios of neighbours are each
    lost where a process or a round happens to have had another speed (docs/calibration.md compares them).

    The interval is Student's t over the jackknife's pseudo-values, a process generation left out at a time, since what
    differs between processes is what repeats least (Kalibera & Jones 2013); the jackknife may be used for medians
    where it leaves out more than the root of the number of trials (Shao & Wu 1989), as 6 of 30 are.
    """
    pairs = [(np.log(a), np.log(b)) for a, b in zip(first, second, strict=True) if len(a)]
    half = mean_half_width(_pseudo_values(lambda some: _shift(*zip(*some, strict=True)), pairs))
    return _ratio(_shift(*zip(*pairs, strict=True)), half)


def unpaired_ratio(first: Sequence[Values], second: Sequence[Values]) -> Ratio:
    """The same for two separate runs: Welch's interval over the pseudo-values of the processes of each."""
    one, other = ([np.log(values) for values in side if len(values)] for side in (first, second))
    half = welch_half_width(
        _pseudo_values(lambda some: _shift(some, other), one), _pseudo_values(lambda some: _shift(one, some), other)
    )
    return _ratio(_shift(one, other), half)


def verdict(ratio: Ratio) -> Verdict:
    """Faster or slower only if the whole interval is beyond ±2 %, same only if it is all within; else undecided."""
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


def _shift(first: Sequence[Values], second: Sequence[Values]) -> float:
    """Median of all differences between a value of ``first`` and one of ``second``."""
    return float(np.median(np.subtract.outer(_thinned(np.concatenate(first)), _thinned(np.concatenate(second)))))


def _thinned(values: Values) -> Values:
    """So many values of the same distribution that all their differences fit in memory."""
    return values if len(values) <= _MOST else np.quantile(values, (np.arange(_MOST) + 0.5) / _MOST)


def _pseudo_values(statistic: Callable[[Sequence[Any]], float], groups: Sequence[Any]) -> Values:
    """The jackknife's, one a group, whose spread is that of a statistic of all. Source: Tukey 1958."""
    count = len(groups)
    if count < 2:
        return np.zeros(count)
    without = [statistic([*groups[:number], *groups[number + 1 :]]) for number in range(count)]
    return count * statistic(groups) - (count - 1) * np.array(without)


def _ratio(centre: float, half: float | None) -> Ratio:
    """From logarithms: the ratio and half the width of its interval."""
    interval = None if half is None else Interval(math.exp(centre - half), math.exp(centre + half))
    return Ratio(math.exp(centre), interval)
