"""A step in a series that is too short for the control chart: its last values compared with those before them.

The control chart (``bench/stats/control_chart.py``) needs eight earlier values. A shorter series is tested for one step
of its mean, by Student's t with the variance within both parts (the likelihood-ratio test of Worsley 1979, "On the
likelihood ratio test for a shift in location of normal populations"), for each of the last few beginnings. All of the
variance is estimated from the series, so that the rate of false alarms does not depend on how much it varies.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edge_bench.bench.stats.ratios import MATERIAL, Ratio, ratio_from
from edge_bench.bench.stats.student import t_tail

__all__ = ["EARLY_RULES", "EarlyRules", "EarlyStep", "early_return", "early_step"]


class EarlyRules(NamedTuple):
    """When the end of a short series is a step. The numbers were chosen by simulation (studies/nights)."""

    before: int = 3  # minimum number of values before a step
    after: int = 3  # maximum number of values since a step
    level: float = 0.002  # two-sided, of the tests of one value together
    material: float = MATERIAL  # smallest relative change that counts


EARLY_RULES = EarlyRules()


class EarlyStep(NamedTuple):
    """A step at the end of a short series."""

    first: int  # index of the first value after it
    ratio: Ratio  # after to before, with the 95 % interval
    p_value: float  # two-sided, multiplied by the number of tests


def early_step(values: Sequence[float], rules: EarlyRules = EARLY_RULES) -> EarlyStep | None:
    """Return the step at the end of a series of logarithms; None if there is none.

    Of several beginnings, the one with the smallest p-value is returned.
    """
    firsts = [first for first in range(len(values) - rules.after, len(values)) if first >= rules.before]
    return _surest([_tested(values, first, len(firsts)) for first in firsts], rules)


def early_return(before: Sequence[float], values: Sequence[float], rules: EarlyRules = EARLY_RULES) -> EarlyStep | None:
    """Return the step back at the end of a series that itself begins with a step; None if there is none.

    ``before`` are the logarithms before the first step. After one or two changed values, `early_step` finds no step
    back, because it needs three values before a step. One value has no variance, so that of ``before`` is added. The
    mean must then be nearer to that of ``before`` than to the changed values.
    """
    if len(before) < rules.before:
        return None
    firsts = range(max(1, len(values) - rules.after), len(values))
    tests = [_tested(values, first, len(firsts), before) for first in firsts if first < rules.before]
    found = _surest(tests, rules)
    if found is None:
        return None
    usual, changed, last = (float(np.mean(part)) for part in (before, values[: found.first], values[found.first :]))
    return found if abs(last - usual) < abs(last - changed) else None


def _surest(tests: Sequence[EarlyStep], rules: EarlyRules) -> EarlyStep | None:
    """Return the test with the smallest p-value if it is below the level, and the change is large enough."""
    found = min(tests, key=lambda test: test.p_value, default=None)
    if found is None or found.p_value >= rules.level:
        return None
    return found if abs(math.log(found.ratio.value)) > math.log1p(rules.material) else None


def _tested(values: Sequence[float], first: int, count: int, others: Sequence[float] = ()) -> EarlyStep:
    """Return the test of a step at ``first``, one of ``count``; ``others`` add to the variance only."""
    before, after = np.array(values[:first]), np.array(values[first:])
    parts = [before, after, *([np.array(others)] if others else [])]
    centre, freedom = float(after.mean() - before.mean()), sum(map(len, parts)) - len(parts)
    squares = float(sum(((part - part.mean()) ** 2).sum() for part in parts))
    error = math.sqrt(squares / freedom * (1 / len(before) + 1 / len(after)))
    p_value = (2 * t_tail(abs(centre) / error, freedom) if error else float(not centre)) * count
    return EarlyStep(first, ratio_from(centre, error, freedom), min(1.0, p_value))
