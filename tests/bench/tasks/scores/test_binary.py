"""One score per example, by hand and against scikit-learn."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.stats.intervals import wilson
from edge_bench.bench.tasks.scores.binary import BinaryScores, binary_differences, binary_scores
from edge_bench.bench.tasks.scores.ranking import Ranking
from tests.bench.messages import numbers_in


def test_quality_by_hand() -> None:
    # by score: 0.9 positive; 0.6 positive and negative; 0.2 negative
    found = binary_scores([0.6, 0.2, 0.9, 0.6], [1, 0, 1, 0], 0.5, 1)
    assert (found.positives, found.correct, found.accuracy) == (2, 3, 0.75)
    assert found.accuracy_interval == wilson(3, 4)
    assert found.auc is not None
    assert found.average_precision is not None
    assert found.auc.value == (2 + 1.5) / 4
    assert found.average_precision.value == pytest.approx((1 + 2 / 3) / 2)
    at_threshold = binary_scores([0.5, 0.5], [0, 1], 0.5, 1)
    assert at_threshold.correct == 1  # a score at the threshold means 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.integers(0, 3)), min_size=1, max_size=40))
def test_rankings_with_ties_and_weights_are_those_of_scikit_learn(drawn: list[tuple[int, bool, int]]) -> None:
    scores, positive, counts = (np.array(column) for column in zip(*drawn, strict=True))
    ranking, weights = Ranking.of(scores, positive), counts[np.newaxis].astype(np.float64)
    auc, precision = ranking.area_under_curve(weights)[0], ranking.average_precision(weights)[0]
    positives, negatives = counts[positive].sum(), counts[~positive].sum()
    assert np.isnan(precision) == (not positives)
    assert np.isnan(auc) == (not positives or not negatives)
    if positives:
        expected = average_precision_score(positive, scores, sample_weight=counts)
        assert precision == pytest.approx(expected, abs=1e-12)
    if positives and negatives:
        assert auc == pytest.approx(roc_auc_score(positive, scores, sample_weight=counts), abs=1e-12)


def scored(drawn: list[tuple[int, bool]]) -> BinaryScores:
    return binary_scores([score for score, _ in drawn], [positive for _, positive in drawn], 0, 1)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=1, max_size=30), st.randoms())
def test_the_order_of_the_examples_does_not_matter(drawn: list[tuple[int, bool]], random: Random) -> None:
    before = scored(drawn)
    random.shuffle(drawn)
    after = scored(drawn)
    assert before.correct == after.correct
    assert (before.auc is None) == (after.auc is None)
    if before.auc is not None and after.auc is not None:
        assert before.auc.value == pytest.approx(after.auc.value, abs=1e-12)


@pytest.mark.slow
def test_intervals_and_paired_differences() -> None:
    draw = np.random.default_rng(1)
    truth = draw.random(300) < 0.4
    good, bad = truth + draw.normal(0, 0.6, 300), truth + draw.normal(0, 1.5, 300)
    scores = binary_scores(good, truth, 0.5, 3)
    assert scores == binary_scores(good, truth, 0.5, 3)
    assert scores.auc is not None
    assert scores.auc.interval is not None
    assert scores.auc.interval.low < scores.auc.value < scores.auc.interval.high
    difference = binary_differences(good, bad, truth, 0.5, 3)
    for estimate in (difference.auc, difference.average_precision):
        assert estimate is not None
        assert estimate.interval is not None
        assert 0 < estimate.interval.low < estimate.value < estimate.interval.high
    assert difference.accuracy.value == pytest.approx(
        scores.accuracy - binary_scores(bad, truth, 0.5, 3).accuracy, abs=1e-12
    )
    assert difference.differing == 300
    none = binary_differences(good, good, truth, 0.5, 3)
    assert (none.differing, none.accuracy.value) == (0, 0)


def test_a_perfect_ranking_has_no_interval() -> None:
    found = binary_scores(np.arange(100) / 100, np.arange(100) >= 50, 0.495, 1)
    assert found.auc is not None
    assert (found.correct, found.auc.value, found.auc.interval) == (100, 1.0, None)


def test_only_one_class_has_no_auc() -> None:
    positives, negatives = binary_scores([0.1, 0.9], [1, 1], 0.5, 1), binary_scores([0.1, 0.9], [0, 0], 0.5, 1)
    assert (positives.auc, negatives.auc, negatives.average_precision) == (None, None, None)
    assert positives.average_precision is not None
    assert positives.average_precision.value == 1


def test_a_score_that_is_not_finite_is_wrong_and_cannot_be_ranked() -> None:
    found = binary_scores([np.nan, np.inf, -np.inf, 0.2], [0, 1, 0, 0], 0.5, 1)
    assert (found.correct, found.not_finite, found.auc, found.average_precision) == (1, 3, None, None)
    assert binary_differences([np.nan, 1], [0, 1], [0, 1], 0.5, 1).auc is None


@pytest.mark.parametrize(
    ("scores", "truth", "named"),
    [
        ([0.1, 0.2], [0, 2], {2, 1}),
        ([0.1, 0.2], [0, np.nan], {1}),
        ([0.1, 0.2], [-1, 0], {0}),
        ([0.1, 0.2, 0.3], [0, 1], {3, 2}),
        ([[0.1, 0.2]], [[0, 1]], {2}),
    ],
)
def test_other_labels_are_refused(scores: object, truth: object, named: set[float]) -> None:
    with pytest.raises(DatasetError) as caught:
        binary_scores(scores, truth, 0.5, 1)  # type: ignore[arg-type]
    assert named <= set(numbers_in(caught.value.problem))
