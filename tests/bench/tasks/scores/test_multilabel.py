"""Mean average precision over classes, by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.tasks.scores.multilabel import multilabel_difference, multilabel_scores


def test_classes_that_no_example_has_do_not_count() -> None:
    scores = [[0.9, 0.1, 0.5], [0.8, 0.7, 0.5], [0.1, 0.3, 0.5]]
    truth = [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    found = multilabel_scores(scores, truth, 1)
    assert found.classes == 2
    assert found.by_class == [pytest.approx((1 + 2 / 3) / 2), 1.0, None]
    assert found.mean_average_precision is not None
    assert found.mean_average_precision.value == pytest.approx(((1 + 2 / 3) / 2 + 1) / 2)


def test_the_mean_is_scikit_learns_macro_average_with_ties() -> None:
    draw = np.random.default_rng(4)
    truth = draw.random((80, 5)) < 0.3
    scores = (truth + draw.normal(0, 1, truth.shape)).round(1).astype(np.float32)
    found = multilabel_scores(scores, truth, 1)
    assert found.mean_average_precision is not None
    assert found.mean_average_precision.value == pytest.approx(
        average_precision_score(truth, scores, average="macro"), abs=1e-12
    )
    interval = found.mean_average_precision.interval
    assert interval is not None
    assert interval.low < found.mean_average_precision.value < interval.high


def test_a_paired_difference() -> None:
    draw = np.random.default_rng(5)
    truth = draw.random((200, 4)) < 0.3
    good, bad = truth + draw.normal(0, 0.5, truth.shape), truth + draw.normal(0, 2, truth.shape)
    found = multilabel_difference(good, bad, truth, 1).mean_average_precision
    assert found is not None
    assert found.interval is not None
    assert 0 < found.interval.low < found.value < found.interval.high
    same = multilabel_difference(good, good, truth, 1)
    assert same.differing == 0
    assert same.mean_average_precision is not None
    assert same.mean_average_precision.value == 0


def test_no_labels_at_all_or_scores_that_are_not_finite_give_no_mean() -> None:
    nothing = multilabel_scores(np.zeros((3, 2)), np.zeros((3, 2)), 1)
    assert (nothing.classes, nothing.mean_average_precision, nothing.by_class) == (0, None, [None, None])
    broken = multilabel_scores([[0.1, np.nan]], [[1, 0]], 1)
    assert (broken.not_finite, broken.mean_average_precision, broken.by_class) == (1, None, [None, None])
    assert multilabel_difference([[0.1, np.nan]], [[0.1, 1]], [[1, 0]], 1).mean_average_precision is None


def test_labels_of_another_number_of_classes_are_refused() -> None:
    with pytest.raises(DatasetError):
        multilabel_scores(np.zeros((3, 2)), np.zeros((3, 4)), 1)
