"""Binary classification by one score: area under the ROC curve, average precision, accuracy at a threshold."""

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.stats.bootstrap import Estimate, bootstrap, paired, repeats_for
from edge_bench.bench.stats.intervals import Interval, PairedDifference, paired_difference, wilson
from edge_bench.bench.tasks.scores.ranking import Ranking
from edge_bench.bench.tasks.scores.rows import flags, same_examples, table

__all__ = ["BinaryDifferences", "BinaryScores", "binary_differences", "binary_scores"]

Flags = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]


class BinaryScores(msgspec.Struct, frozen=True, kw_only=True):
    """Quality of one score per example on n examples."""

    examples: int
    positives: int
    threshold: float
    correct: int  # examples on the right side of the threshold; those without a finite score are wrong
    accuracy_interval: Interval  # Wilson's, of the share of correct examples
    not_finite: int  # examples without a finite score; if there are any, examples cannot be ranked
    auc: Estimate | None = None  # None also if all examples are positive, or none
    average_precision: Estimate | None = None  # None also if no example is positive

    @property
    def accuracy(self) -> float:
        """Share of correct examples."""
        return self.correct / self.examples


class BinaryDifferences(msgspec.Struct, frozen=True, kw_only=True):
    """The first model's quality minus the second's, on the same examples."""

    accuracy: PairedDifference
    differing: int  # examples with different scores
    auc: Estimate | None = None
    average_precision: Estimate | None = None


def binary_scores(scores: npt.ArrayLike, truth: npt.ArrayLike, threshold: float, seed: int | None) -> BinaryScores:
    """Score n real-valued scores against labels 0 and 1. A score above the threshold means 1.

    AUC and average precision have bootstrap intervals over examples. Raise DatasetError if the numbers of examples
    differ, a label is not 0 or 1, or there is more than one score per example.
    """
    values, positive = _one_column(scores, truth)
    finite = np.isfinite(values)
    correct = int(np.count_nonzero(_correct(values, positive, threshold)))
    found = {}
    if finite.all():
        ranking, examples = Ranking.of(values, positive), len(values)
        repeats = repeats_for(2 * examples)
        found = {
            "auc": bootstrap(ranking.area_under_curve, examples, seed, repeats=repeats),
            "average_precision": bootstrap(ranking.average_precision, examples, seed, repeats=repeats),
        }
    return BinaryScores(
        examples=len(values),
        positives=int(positive.sum()),
        threshold=threshold,
        correct=correct,
        accuracy_interval=wilson(correct, len(values)),
        not_finite=int(np.count_nonzero(~finite)),
        **found,
    )


def binary_differences(
    first: npt.ArrayLike, second: npt.ArrayLike, truth: npt.ArrayLike, threshold: float, seed: int
) -> BinaryDifferences:
    """Return the paired differences of two models' quality. Positive ones mean that the first is better."""
    ours, positive = _one_column(first, truth)
    theirs, _ = _one_column(second, truth)
    found = {}
    if np.isfinite(ours).all() and np.isfinite(theirs).all():
        rankings, examples = (Ranking.of(ours, positive), Ranking.of(theirs, positive)), len(ours)
        repeats = repeats_for(4 * examples)
        auc = paired(*(ranking.area_under_curve for ranking in rankings))
        precision = paired(*(ranking.average_precision for ranking in rankings))
        found = {
            "auc": bootstrap(auc, examples, seed, repeats=repeats, constant=True),
            "average_precision": bootstrap(precision, examples, seed, repeats=repeats, constant=True),
        }
    return BinaryDifferences(
        accuracy=paired_difference(_correct(ours, positive, threshold), _correct(theirs, positive, threshold)),
        differing=int(np.count_nonzero(ours != theirs)),
        **found,
    )


def _one_column(scores: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[Values, Flags]:
    values, positive = table(scores, "scores"), flags(truth, "true labels")
    same_examples(positive, values)
    if values.shape[1] != 1:
        raise DatasetError(f"{values.shape[1]:,} scores per example, but this task has one", "use --task multilabel")
    return values[:, 0], positive[:, 0]


def _correct(values: Values, positive: Flags, threshold: float) -> Flags:
    correct: Flags = ((values > threshold) == positive) & np.isfinite(values)
    return correct
