"""Several labels per example: mean average precision over classes."""

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.stats.bootstrap import Estimate, Statistic, bootstrap, paired, repeats_for
from edge_bench.bench.tasks.scores.ranking import Ranking
from edge_bench.bench.tasks.scores.rows import flags, same_examples, table

__all__ = ["MultilabelDifference", "MultilabelScores", "multilabel_difference", "multilabel_scores"]

Flags = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]


class MultilabelScores(msgspec.Struct, frozen=True, kw_only=True):
    """Quality of one score per class on n examples."""

    examples: int
    classes: int  # number of classes that some example has; only these count
    not_finite: int  # examples with a score that is not finite; if there are any, examples cannot be ranked
    by_class: list[float | None]  # average precision of each class; None for one that no example has
    mean_average_precision: Estimate | None = None


class MultilabelDifference(msgspec.Struct, frozen=True, kw_only=True):
    """The first model's mean average precision minus the second's, on the same examples."""

    differing: int  # examples with different scores
    mean_average_precision: Estimate | None = None


def multilabel_scores(scores: npt.ArrayLike, truth: npt.ArrayLike, seed: int | None) -> MultilabelScores:
    """Score real-valued scores, shape [n, classes], against labels 0 and 1 of the same shape.

    The average precision of a class is `Ranking.average_precision` of all examples by its score. The mean is over the
    classes that some example has (in a resample: that it contains), with equal weights (macro average). The interval is
    a bootstrap over examples. Raise DatasetError if the shapes differ, or a label is not 0 or 1.
    """
    values, labels = _rows(scores, truth)
    not_finite = int(np.count_nonzero(~np.isfinite(values).all(axis=1)))
    occurs, found, by_class = labels.any(axis=0), None, list[float | None]()
    if not not_finite:
        rankings, once = _rankings(values, labels), np.ones((1, len(values)))
        averages = iter([float(ranking.average_precision(once)[0]) for ranking in rankings])
        by_class = [next(averages) if occurring else None for occurring in occurs]
        found = bootstrap(_mean(rankings), len(values), seed, repeats=repeats_for(len(values) * len(rankings)))
    return MultilabelScores(
        examples=len(values),
        classes=int(occurs.sum()),
        not_finite=not_finite,
        by_class=by_class or [None] * labels.shape[1],
        mean_average_precision=found,
    )


def multilabel_difference(
    first: npt.ArrayLike, second: npt.ArrayLike, truth: npt.ArrayLike, seed: int
) -> MultilabelDifference:
    """Return the paired difference of two models' mean average precision. Positive means that the first is better."""
    ours, labels = _rows(first, truth)
    theirs, _ = _rows(second, truth)
    found = None
    if np.isfinite(ours).all() and np.isfinite(theirs).all():
        rankings, others = _rankings(ours, labels), _rankings(theirs, labels)
        repeats = repeats_for(2 * len(ours) * len(rankings))
        found = bootstrap(paired(_mean(rankings), _mean(others)), len(ours), seed, repeats=repeats, constant=True)
    return MultilabelDifference(
        differing=int(np.count_nonzero((ours != theirs).any(axis=1))), mean_average_precision=found
    )


def _rows(scores: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[Values, Flags]:
    values, labels = table(scores, "scores"), flags(truth, "true labels")
    same_examples(labels, values)
    return values, labels


def _rankings(values: Values, labels: Flags) -> list[Ranking]:
    """Return the ranking by each class that an example has."""
    return [Ranking.of(values[:, number], labels[:, number]) for number in np.flatnonzero(labels.any(axis=0))]


def _mean(rankings: list[Ranking]) -> Statistic:
    """Return the mean over the classes that a resample contains; NaN if it contains none."""

    def mean(counts: Values) -> Values:
        total, defined = np.zeros(len(counts)), np.zeros(len(counts))
        for ranking in rankings:
            average = ranking.average_precision(counts)
            total += np.nan_to_num(average)
            defined += ~np.isnan(average)
        with np.errstate(invalid="ignore"):
            result: Values = total / defined
        return result

    return mean
