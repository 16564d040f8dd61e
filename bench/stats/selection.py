"""Selection of the clearly best of several classifiers, tested on the same images."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_bench.bench.stats.intervals import binomial_half_tail

__all__ = ["ALPHA", "Selection", "select_best"]

#: Probability of adopting a candidate that is not better than another one, over all comparisons.
ALPHA = 0.001


@dataclass(frozen=True)
class Selection:
    """The candidates that may be the best, as indices, in groups that predict the same.

    The first group has the most correct images. The others are those that are not clearly worse.
    """

    groups: tuple[tuple[int, ...], ...]

    @property
    def clear(self) -> bool:
        """Whether one group is clearly better than all others."""
        return len(self.groups) == 1


def select_best(
    correct: Sequence[npt.NDArray[np.bool_]], alpha: float = ALPHA, same: Sequence[Hashable] | None = None
) -> Selection:
    """Return which of several candidates is the best. ``correct`` has one array [images] per candidate.

    Candidates with equal values in ``same`` predict the same and count as one. By default there are none.
    The most accurate candidate is compared with each different one by McNemar's exact test, one-sided because the
    question is whether it is better (McNemar 1947). Holm's method (1979) corrects the p-values for their number.
    """
    groups: dict[Hashable, list[int]] = {}
    for index in range(len(correct)):
        groups.setdefault(index if same is None else same[index], []).append(index)
    ordered = sorted(groups.values(), key=lambda group: (-int(correct[group[0]].sum()), group[0]))
    best, others = ordered[0], ordered[1:]
    p_values = [_p_value(correct[best[0]], correct[group[0]]) for group in others]
    rejected = _holm(p_values, alpha)
    return Selection((tuple(best), *(tuple(group) for group, out in zip(others, rejected, strict=True) if not out)))


def _p_value(best: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    return binomial_half_tail(int(np.count_nonzero(best & ~other)), int(np.count_nonzero(other & ~best)))


def _holm(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Return which null hypotheses are rejected, from the smallest p-value up to the first that is not."""
    rejected = [False] * len(p_values)
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[index] > alpha / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected
