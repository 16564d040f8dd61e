"""Pure functions: how many times as long one thing takes as another, with an interval, and what that allows to say."""

import math
from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np

from bench.stats import Interval, Values, mean_interval, welch_half_width

__all__ = ["Ratio", "Verdict", "fastest_ratio", "fastest_third", "paired_ratio", "unpaired_ratio", "verdict"]

#: MLPerf calls a result materially different from 2 % on.
MATERIAL = 0.02


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
    calibration/ holds both to account. With a single generation there is no interval.

    This is for what is waited for, disturbances included, such as an answer over a network; for what a machine by
    itself takes, `fastest_ratio`.
    """
    return _ratio(*mean_interval([np.median(np.log(a / b)) for a, b in zip(first, second, strict=True) if len(a)]))


def fastest_third(values: Values) -> float:
    """Log of a process's undisturbed time: mean of the logs of the fastest third of its trials, one at least.

    What else a machine does only ever adds time, to some trials and not to others, and on a shared machine to half of
    them; so the fast end says what the program takes, and the middle says that and who else was there (Chen & Revels
    2016, "Robust benchmarking in noisy environments", who take the minimum). A third, because one lucky trial should
    not decide, and because a minimum gets smaller with every trial, and runs of different lengths are compared.
    """
    ordered = np.sort(np.log(np.asarray(values, dtype=np.float64)))
    return float(ordered[: max(1, round(len(ordered) / 3))].mean())


def fastest_ratio(first: Sequence[Values], second: Sequence[Values]) -> Ratio:
    """How many times as long as ``second`` the ``first`` takes where nothing disturbs them, from interleaved rounds.

    As `paired_ratio`, with the `fastest_third` of each generation in place of its median ratio. For what a machine
    alone decides: on a shared one it finds 5 % where medians do not (docs/calibration.md).
    """
    logs = [fastest_third(a) - fastest_third(b) for a, b in zip(first, second, strict=True) if len(a)]
    return _ratio(*mean_interval(logs))


def unpaired_ratio(first: Sequence[Values], second: Sequence[Values]) -> Ratio:
    """The same for two separate runs: each process's `fastest_third`, Welch's interval over the processes of both."""
    sides = [np.array([fastest_third(values) for values in side if len(values)]) for side in (first, second)]
    centre = float(sides[0].mean() - sides[1].mean())
    half = welch_half_width(*sides)
    return _ratio(centre, None if half is None else Interval(centre - half, centre + half))


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


def _ratio(centre: float, interval: Interval | None) -> Ratio:
    """From logarithms."""
    return Ratio(
        math.exp(centre), None if interval is None else Interval(math.exp(interval.low), math.exp(interval.high))
    )
