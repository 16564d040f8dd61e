"""Selection of the clearly best of several classifiers, tested on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_bench.bench.stats.intervals import binomial_half_tail

__all__ = ["ALPHA", "Selection", "select_best"]

#: Probability of adopting a candidate that is not better than another one, over all comparisons together.
ALPHA = 0.001


@dataclass(frozen=True)
class Selection:
    """The candidates that may be the best, as indices, the one with the most correct images first.

    Candidates that are correct on the same images are one: its first index stands for all.
    """

    rivals: tuple[int, ...]  # the best one, then those that are not clearly worse

    @property
    def clear(self) -> bool:
        """Whether one candidate is clearly better than all others."""
        return len(self.rivals) == 1


def select_best(correct: Sequence[npt.NDArray[np.bool_]], alpha: float = ALPHA) -> Selection:
    """Return which of several candidates is the best; ``correct`` has one array [images] per candidate.

    The most accurate candidate is compared with each different one by McNemar's exact test, one-sided as the question
    is whether it is better (McNemar 1947). The p-values are corrected for their number by Holm's method (1979).
    """
    distinct: dict[bytes, int] = {}
    for index, values in enumerate(correct):
        distinct.setdefault(np.packbits(values).tobytes(), index)
    indices = list(distinct.values())
    best = max(indices, key=lambda index: (int(correct[index].sum()), -index))
    p_values = {
        other: binomial_half_tail(
            int(np.count_nonzero(correct[best] & ~correct[other])),
            int(np.count_nonzero(correct[other] & ~correct[best])),
        )
        for other in indices
        if other != best
    }
    rivals = [best]
    ordered = sorted(p_values, key=lambda other: (p_values[other], other))
    for rank, other in enumerate(ordered):  # Holm: stop at the first that cannot be rejected
        if p_values[other] > alpha / (len(ordered) - rank):
            rivals += sorted(ordered[rank:], key=lambda index: (-int(correct[index].sum()), index))
            break
    return Selection(tuple(rivals))
