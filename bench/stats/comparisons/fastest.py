"""Which of several configurations are not slower than the fastest one."""

import math
from collections.abc import Sequence

from edge_bench.bench.stats.intervals import CONFIDENCE
from edge_bench.bench.stats.ratios import Ratio, Verdict, p_value, ratio_from, verdict
from edge_bench.bench.stats.student import t_tail

__all__ = ["probability_fastest", "slower_despite_noise", "slower_than_fastest"]

#: Configurations compete with the fastest up to this ratio.
_NEAR = 1.5


def slower_than_fastest(ratios: Sequence[Ratio]) -> list[bool]:
    """Return which configurations are slower than the fastest. ``ratios`` are those of all others to it.

    The test aims at a level of 5 %: if all are equally fast, any is called slower in 5 % of cases. The level is not
    exact. It was simulated (docs/calibration.md). The fastest is chosen by the same times, so the p-values are
    corrected for the number of all pairs (Bonferroni). For one of many configurations, an error estimated from five
    processes is too small by chance. The test therefore uses the root mean square of all their errors (as in Tukey
    1953, "The problem of multiple comparisons"). Its degrees of freedom are half of their sum, plus half of one,
    because half of each error is that of the fastest. A configuration that varies more than others must also be slower
    by its own interval.
    """
    pooled, freedom = _pooled(ratios)
    if pooled is None:
        return [False] * len(ratios)
    pairs = len(ratios) * (len(ratios) + 1) // 2
    return [
        verdict(ratio) is Verdict.SLOWER
        and p_value(ratio_from(math.log(ratio.value), pooled, freedom)) * pairs < 1 - CONFIDENCE
        for ratio in ratios
    ]


def slower_despite_noise(ratios: Sequence[Ratio]) -> list[bool]:
    """Return `slower_than_fastest`, but keep configurations over 1.5 times slower from hiding other differences.

    The error is pooled, so that one slow and noisy configuration, such as the original beside its .tflite variants,
    hides differences between all others. Those within 1.5 times the fastest are therefore tested with their own pooled
    error, the others with that of all. In simulations of nine equally fast ones, any was called slower in up to 0.1 %
    of 2,000 Runs with noise as recorded, and in 1.1 to 2.3 % of 1,500 Runs whose processes differ by 10 to 50 %.
    """
    of_all = slower_than_fastest(ratios)
    near = iter(slower_than_fastest([ratio for ratio in ratios if ratio.value <= _NEAR]))
    return [next(near) if ratio.value <= _NEAR else far for ratio, far in zip(ratios, of_all, strict=True)]


def probability_fastest(*families: Sequence[Ratio]) -> float:
    """Return a lower bound of the probability that a configuration is the fastest.

    Each family has ratios of other configurations' times to its own. It is 1 minus the sum over all of them of the
    probability that the other is at least as fast (Boole's inequality). With a flat prior on the logarithm of the
    ratio, that is the one-sided p-value of Student's t. The error is that of the pooled test above, or that of the
    ratio itself if it is larger. The bound is 0 if a ratio has no error.
    """
    doubt = 0.0
    for family in families:
        near = [ratio for ratio in family if ratio.value <= _NEAR]
        for ratio in family:
            pooled, freedom = _pooled(near if ratio.value <= _NEAR else family)
            if pooled is None or ratio.standard_error is None:
                return 0.0
            error = max(pooled, ratio.standard_error)
            doubt += t_tail(math.log(ratio.value) / error, freedom) if error else float(ratio.value <= 1)
    return max(0.0, 1 - doubt)


def _pooled(ratios: Sequence[Ratio]) -> tuple[float | None, float]:
    """Return the root mean square of the ratios' errors and its degrees of freedom; None without errors."""
    errors = [ratio for ratio in ratios if ratio.standard_error is not None]
    if not errors:
        return None, math.inf
    pooled = math.sqrt(math.fsum((ratio.standard_error or 0) ** 2 for ratio in errors) / len(errors))
    total = math.fsum(math.inf if ratio.freedom is None else ratio.freedom for ratio in errors)
    return pooled, (total + total / len(errors)) / 2
