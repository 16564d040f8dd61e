"""Measures of a ranking by score, for resamples of the examples. Equal scores are one step of the ranking."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Ranking"]

Values = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ranking:
    """Examples by score, the highest first. Its steps are the distinct scores of the positives."""

    order: Indices  # [n]: indices of the examples
    positives: Indices  # indices of the positive examples, in the same order
    begins: Indices  # [steps]: number of examples with a higher score
    ends: Indices  # [steps]: number of examples with at least this score
    found: Indices  # [steps]: number of positives with at least this score

    @classmethod
    def of(cls, scores: npt.NDArray[Any], positive: npt.NDArray[np.bool_]) -> "Ranking":
        """Rank examples with finite scores, shape [n]; ``positive`` has the same shape."""
        order = np.argsort(scores, kind="stable")[::-1].astype(np.int64)
        ascending = scores[order[::-1]]
        positives = order[positive[order]]
        steps, counts = np.unique(scores[positives], return_counts=True)
        begins, ends = (len(scores) - np.searchsorted(ascending, steps[::-1], side) for side in ("right", "left"))
        return cls(order, positives, begins, ends, np.cumsum(counts[::-1]))

    def average_precision(self, counts: Values) -> Values:
        """Return the average precision of resamples, shape [b] for counts [b, n]; NaN for one without positives.

        It is Σ (Rₖ - Rₖ₋₁) Pₖ over the distinct scores k, the highest first: recall R and precision P if all examples
        with at least that score count as positive. Nothing is interpolated, so it differs from Pascal VOC's.
        Source: Manning, Raghavan & Schütze 2008, Introduction to Information Retrieval, section 8.4; ties as in
        scikit-learn's average_precision_score.
        """
        found, taken = self._found(counts), _sums(counts, self.order)[:, self.ends]
        gained = np.diff(found, axis=1, prepend=0)
        precision = found / np.maximum(taken, 1)
        return _share((gained * precision).sum(axis=1), found.max(axis=1, initial=0))

    def area_under_curve(self, counts: Values) -> Values:
        """Return the area under the ROC curve of resamples, shape [b] for counts [b, n].

        It is the probability that a positive has a higher score than a negative, half of it for equal scores. NaN for a
        resample without positives or negatives. Source: Hanley & McNeil 1982.
        """
        found, sums = self._found(counts), _sums(counts, self.order)
        gained, positives = np.diff(found, axis=1, prepend=0), found.max(axis=1, initial=0)
        negatives = sums[:, -1] - positives
        not_below = (sums[:, self.ends] - found + sums[:, self.begins] - found + gained) / 2
        return _share((gained * (negatives[:, np.newaxis] - not_below)).sum(axis=1), positives * negatives)

    def _found(self, counts: Values) -> Values:
        """Return how many positives of each resample have at least the score of each step, shape [b, steps]."""
        return _sums(counts, self.positives)[:, self.found]


def _sums(counts: Values, order: Indices) -> Values:
    """Return how often the first 0, 1, 2, … examples of an order are drawn, shape [b, n + 1]."""
    sums = np.zeros((len(counts), len(order) + 1))
    np.cumsum(counts.take(order, axis=1), axis=1, out=sums[:, 1:])
    return sums


def _share(part: Values, whole: Values) -> Values:
    with np.errstate(invalid="ignore"):
        share: Values = part / whole  # 0 / 0 is NaN: undefined
    return share
