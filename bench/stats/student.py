"""Student's t distribution, and decisions on several tests at once."""

import math
from collections.abc import Sequence
from functools import cache

__all__ = ["holm", "t_quantile", "t_tail"]

#: Relative accuracy of the continued fraction, and its maximum number of terms.
_ACCURACY, _MAX_TERMS = 1e-14, 10_000


def t_tail(value: float, freedom: float) -> float:
    """Return P(T > ``value``) for Student's t with ``freedom`` degrees of freedom; infinite is the normal distribution.

    It is ½·I(ν / (ν + t²); ν/2, ½) with the regularized incomplete beta function (Abramowitz & Stegun, 26.7.1).
    """
    if value < 0:
        return 1 - t_tail(-value, freedom)
    if math.isinf(freedom) or math.isinf(value):
        return 0.0 if math.isinf(value) else math.erfc(value / math.sqrt(2)) / 2
    return _regularized_beta(freedom / (freedom + value * value), freedom / 2, 0.5) / 2


@cache
def t_quantile(freedom: float, probability: float = 0.975) -> float:
    """Return the quantile of Student's t by bisection of `t_tail`; 0.5 < ``probability`` < 1."""
    low, high = 0.0, 2.0
    while t_tail(high, freedom) > 1 - probability:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_tail(middle, freedom) > 1 - probability else (low, middle)
    return (low + high) / 2


def holm(p_values: Sequence[float]) -> list[float]:
    """Return adjusted p-values. Rejecting those of at most α is wrong for any hypothesis with at most probability α.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    order = sorted(range(len(p_values)), key=lambda number: p_values[number])
    adjusted, largest = [1.0] * len(p_values), 0.0
    for position, number in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - position) * p_values[number]))
        adjusted[number] = largest
    return adjusted


def _regularized_beta(x: float, a: float, b: float) -> float:
    """Return I(x; a, b) by its continued fraction, evaluated by Lentz's method (Press et al. 2007, section 6.4)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # where the fraction of the complement converges faster
        return 1 - _regularized_beta(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    fraction, c, d = 1.0, 1.0, 0.0
    for term in range(_MAX_TERMS):
        half = term // 2
        if term == 0:
            numerator = 1.0
        elif term % 2 == 0:
            numerator = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        else:
            numerator = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        d = 1 / _not_zero(1 + numerator * d)
        c = _not_zero(1 + numerator / c)
        fraction *= c * d
        if abs(c * d - 1) < _ACCURACY:
            break
    return math.exp(log_front) * (fraction - 1) / a


def _not_zero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300
