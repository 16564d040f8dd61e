"""Ratio of times whose error is only that of processes, for processes that differ in speed."""

from collections.abc import Sequence

import numpy as np

from edge_bench.bench.stats.intervals import Values, welch_error
from edge_bench.bench.stats.ratios import Ratio, ratio_from

__all__ = ["process_error", "process_ratio"]


def process_error(first: Sequence[Values], second: Sequence[Values]) -> tuple[float, float] | None:
    """Return the standard error of the logarithm of `process_ratio` and its degrees of freedom.

    It is Welch's, of the processes' mean log times; None for fewer than two processes on a side. The jackknife of
    medians in `interleaved_ratio` has an error of zero if all processes but one have the same speed.
    """
    return welch_error(*_means(first, second))


def process_ratio(first: Sequence[Values], second: Sequence[Values]) -> Ratio:
    """Return the ratio of ``first`` to ``second``, of the geometric means over processes, with `process_error`.

    Each side has one array of positive times per process. Processes of the two sides need not correspond.

    If a process has one of two speeds by chance, the median of the trials' ratios jumps from one speed to the other
    when half of the pairs do. An interval around it is then misplaced. The mean changes in small steps.
    """
    means, other_means = _means(first, second)
    error, freedom = welch_error(means, other_means) or (None, None)
    return ratio_from(float(means.mean() - other_means.mean()), error, freedom)


def _means(first: Sequence[Values], second: Sequence[Values]) -> tuple[Values, Values]:
    means, other_means = (np.array([np.log(each).mean() for each in side if len(each)]) for side in (first, second))
    return means, other_means
