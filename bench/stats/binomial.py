"""Exact binomial probabilities."""

import math

__all__ = ["at_least"]


def at_least(successes: int, trials: int, probability: float) -> float:
    """Return P(X ≥ successes) for X from Binomial(trials, probability), exact except rounding; 0 < probability < 1."""
    if successes <= 0:
        return 1.0
    log_yes, log_no = math.log(probability), math.log1p(-probability)
    log_all = math.lgamma(trials + 1)
    return min(
        1.0,
        math.fsum(
            math.exp(log_all - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * log_yes + (trials - k) * log_no)
            for k in range(successes, trials + 1)
        ),
    )
