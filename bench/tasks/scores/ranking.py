"""Measures of a ranking by score, for resamples of the examples; equal scores are one step of the ranking."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Ranking"]

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """Examples by score, the highest first, and which of them are positive."""

    order: npt.NDArray[np.int64]  # [n]: indices of the examples
    ends: npt.NDArray[np.int64]  # [steps]: position in ``order`` of the last example of each distinct score
    positive: npt.NDArray[np.bool_]  # [n], in the order of the examples

    @classmethod
    def of(cls, scores: npt.NDArray[Any], positive: npt.NDArray[np.bool_]) -> "Ranking":
        """Rank examples with finite scores, shape [n]; ``positive`` has the same shape."""
        order = np.argsort(scores, kind="stable")[::-1].astype(np.int64)
        ranked = scores[order]
        ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(scores) else order
        return cls(order, ends.astype(np.int64), positive)

    def average_precision(self, counts: Values) -> Values:
        """Return the average precision of resamples, shape [b] for counts [b, n]; NaN for one without positives.

        It is Σ (Rₖ - Rₖ₋₁) Pₖ over the distinct scores k, the highest first: recall R and precision P if all examples
        with at least that score are taken for positive. Nothing is interpolated, so it differs from Pascal VOC's.
        Source: Manning, Raghavan & Schütze 2008, Introduction to Information Retrieval, section 8.4; ties as in
        scikit-learn's average_precision_score.
        """
        found, taken = self._steps(counts)
        gained = np.diff(found, axis=1, prepend=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(taken > 0, found / taken, 0)
            result: Values = (gained * precision).sum(axis=1) / found[:, -1]
        return result

    def area_under_curve(self, counts: Values) -> Values:
        """Return the area under the ROC curve of resamples, shape [b] for counts [b, n].

        It is the probability that a positive has a higher score than a negative, half of it for equal scores. NaN for a
        resample without positives or negatives. Source: Hanley & McNeil 1982.
        """
        found, taken = self._steps(counts)
        gained, wrong = np.diff(found, axis=1, prepend=0), np.diff(taken - found, axis=1, prepend=0)
        above = found - gained / 2
        negatives = taken[:, -1] - found[:, -1]
        with np.errstate(invalid="ignore", divide="ignore"):
            result: Values = (wrong * above).sum(axis=1) / (found[:, -1] * negatives)
        return result

    def _steps(self, counts: Values) -> tuple[Values, Values]:
        """Return the positives and all examples with at least each distinct score, shape [b, steps] each."""
        ranked = counts[:, self.order]
        found = np.cumsum(ranked * self.positive[self.order], axis=1)[:, self.ends]
        return found, np.cumsum(ranked, axis=1)[:, self.ends]
