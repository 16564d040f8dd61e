"""Errors of regression, by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.tasks.scores.regress import regression_differences, regression_scores
from tests.bench.messages import numbers_in


def test_errors_by_hand() -> None:
    found = regression_scores([1, 2, 3, 6], [1, 2, 4, 4], 1)  # errors 0, 0, -1, 2; Σ(y - 2.75)² = 6.75
    assert found.mae is not None
    assert found.rmse is not None
    assert found.r2 is not None
    assert found.mae.value == 0.75
    assert found.rmse.value == pytest.approx(1.25**0.5)
    assert found.r2.value == pytest.approx(1 - 5 / 6.75)
    assert found.mae.interval is None  # four examples


@pytest.mark.slow
@settings(deadline=None)
@given(st.integers(2, 40), st.integers(1, 3), st.integers(0, 2**32), st.sampled_from([0.0, 1e6, -1e9]))
def test_errors_are_those_of_scikit_learn(examples: int, columns: int, seed: int, offset: float) -> None:
    draw = np.random.default_rng(seed)
    truth = draw.normal(offset, 3, (examples, columns))
    predictions = truth + draw.normal(0, 1, truth.shape)
    found = regression_scores(predictions, truth, 1)
    assert found.mae is not None
    assert found.rmse is not None
    assert found.r2 is not None
    assert found.mae.value == pytest.approx(mean_absolute_error(truth, predictions), rel=1e-9)
    assert found.rmse.value == pytest.approx(mean_squared_error(truth, predictions) ** 0.5, rel=1e-9)
    assert found.r2.value == pytest.approx(r2_score(truth, predictions), rel=1e-6, abs=1e-6)


@pytest.mark.slow
def test_intervals_and_paired_differences() -> None:
    draw = np.random.default_rng(2)
    truth = draw.normal(0, 2, 300)
    good, bad = truth + draw.normal(0, 0.5, 300), truth + draw.normal(0, 1, 300)
    scores = regression_scores(good, truth, 7)
    assert scores == regression_scores(good, truth, 7)
    assert scores.mae is not None
    assert scores.mae.interval is not None
    assert scores.mae.interval.low < scores.mae.value < scores.mae.interval.high
    difference = regression_differences(good, bad, truth, 7)
    assert difference.differing == 300
    for estimate, sign in ((difference.mae, -1), (difference.rmse, -1), (difference.r2, 1)):
        assert estimate is not None
        assert estimate.interval is not None
        assert min(sign * estimate.interval.low, sign * estimate.interval.high) > 0
    same = regression_differences(good, good, truth, 7)
    assert same.differing == 0
    assert same.mae is not None
    assert same.mae.interval is not None
    assert (same.mae.value, same.mae.interval.low, same.mae.interval.high) == (0, 0, 0)


def test_a_perfect_model_has_no_interval() -> None:
    truth = np.arange(100.0)
    found = regression_scores(truth, truth, 1)
    assert found.mae is not None
    assert found.r2 is not None
    assert (found.mae.value, found.mae.interval, found.r2.value) == (0, None, 1)


def test_true_values_that_are_all_equal_have_no_r2() -> None:
    found = regression_scores(np.arange(50.0), np.full(50, 0.1), 1)
    assert found.r2 is None
    assert found.mae is not None
    # all equal in many resamples: these are left out, and too many are
    rare = np.zeros(50)
    rare[0] = 0.1
    found = regression_scores(np.arange(50.0), rare, 1)
    assert found.r2 is not None
    assert found.r2.interval is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_predictions_that_are_not_finite_give_no_errors(value: float) -> None:
    found = regression_scores([1, value, 3], [1, 2, 3], 1)
    assert (found.not_finite, found.mae, found.rmse, found.r2) == (1, None, None, None)
    assert regression_differences([1, value, 3], [1, 2, 3], [1, 2, 3], 1).mae is None


@pytest.mark.parametrize(
    ("predictions", "truth", "named"),
    [
        ([1, 2], [1, 2, 3], {2, 3}),
        ([[1, 2], [1, 2]], [1, 2], {2}),
        ([1, 2], [1, np.nan], {1}),
        ([1, 2], [1, -np.inf], {1}),
        ([], [], {0}),
        (["a"], [1], set[int]()),
    ],
)
def test_other_true_values_are_refused(predictions: object, truth: object, named: set[int]) -> None:
    with pytest.raises(DatasetError) as caught:
        regression_scores(predictions, truth, 1)  # type: ignore[arg-type]
    assert named <= set(numbers_in(caught.value.problem))
    assert caught.value.exit_code == 2
