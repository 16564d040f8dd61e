"""Tests whether a ratio of two sides of repeated runs is beyond a limit, a one-sided question, as pure functions."""

import math

from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.stats.ratios import Ratio
from edge_bench.bench.stats.student import t_quantile, t_tail

__all__ = ["MOST_RUNS", "beyond_limit", "interval_at", "limit_confidence", "runs_needed"]

#: With this number of runs per side, a ratio is judged by its 90 % interval; the confidences of that and of the others.
_MIN_RUNS, _OF_REPEATED, _OF_FEW = 3, 0.90, 0.95
#: Largest number of runs that is searched.
MOST_RUNS = 100


def limit_confidence(first_runs: int, second_runs: int) -> float:
    """Return the confidence of the interval for judging a limit: 0.90, or 0.95 with few runs.

    The question is one-sided, so an error of 5 % needs only the lower end of a 90 % interval. With fewer than three
    runs per side, that error at the limit would be too high below it: if times vary by 3 % from run to run, a ratio
    2 % below the limit would fail in over 1 % of cases (docs/calibration.md).
    """
    return _OF_REPEATED if min(first_runs, second_runs) >= _MIN_RUNS else _OF_FEW


def interval_at(ratio: Ratio, confidence: float) -> Interval | None:
    """Return the two-sided interval of a ratio; None if its error is unknown."""
    if ratio.standard_error is None:
        return None
    half = t_quantile(_freedom(ratio), (1 + confidence) / 2) * ratio.standard_error
    return Interval(ratio.value * math.exp(-half), ratio.value * math.exp(half))


def beyond_limit(ratio: Ratio, limit: float) -> float:
    """Return the one-sided p-value of "the ratio is at most 1 + ``limit``"; 1 if its error is unknown.

    It is below (1 - confidence) / 2 exactly if the lower end of `interval_at` is above the limit.
    """
    if ratio.standard_error is None:
        return 1.0
    distance = math.log(ratio.value) - math.log1p(limit)
    if ratio.standard_error == 0:
        return float(distance <= 0)
    return t_tail(distance / ratio.standard_error, _freedom(ratio))


def runs_needed(ratio: float, limit: float, variation: float, error: float = 0.05, power: float = 0.8) -> int | None:
    """Return how many runs of each side decide whether a true ``ratio`` is beyond 1 + ``limit``.

    Each side's runs vary by the standard deviation ``variation``, a fraction of the time. ``error`` is that of the
    one-sided decision, ``power`` the probability of a decision. Return None for more than `MOST_RUNS`.
    It is the smallest n with (t(1 - error) + z(power)) · variation · √(2 / n) at most the logarithm's distance from the
    limit, with 2n - 2 degrees of freedom (Cohen 1988, Statistical Power Analysis, section 2.4).
    """
    distance = abs(math.log(ratio) - math.log1p(limit))
    for runs in range(_MIN_RUNS, MOST_RUNS + 1):
        quantiles = t_quantile(2 * runs - 2, 1 - error) + t_quantile(math.inf, power)
        if quantiles * variation * math.sqrt(2 / runs) <= distance:
            return runs
    return None


def _freedom(ratio: Ratio) -> float:
    return math.inf if ratio.freedom is None else ratio.freedom
