"""Bootstrap intervals, checked against scipy."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats as scipy_stats

from edge_bench.bench.stats.bootstrap import (
    MIN_EXAMPLES,
    REPEATS,
    Statistic,
    bootstrap,
    paired,
    repeats_for,
    resamples,
)

Values = npt.NDArray[np.float64]


def mean_of(values: Values) -> Statistic:
    def mean(counts: Values) -> Values:
        result: Values = counts @ values / counts.sum(axis=1)
        return result

    return mean


def skewed(count: int) -> Values:
    return np.random.default_rng(3).exponential(size=count)


def test_every_resample_draws_as_many_examples_as_there_are() -> None:
    drawn = np.concatenate(list(resamples(7, 5, 300)))
    assert drawn.shape == (300, 7)
    assert set(drawn.sum(axis=1)) == {7.0}
    assert drawn.mean() == pytest.approx(1)
    assert np.array_equal(drawn, np.concatenate(list(resamples(7, 5, 300))))
    assert not np.array_equal(drawn, np.concatenate(list(resamples(7, 6, 300))))


@pytest.mark.parametrize("count", [MIN_EXAMPLES, 100, 500])
def test_the_interval_is_the_one_of_scipy_within_the_error_of_resampling(count: int) -> None:
    values = skewed(count)
    found = bootstrap(mean_of(values), count, 1)
    expected = scipy_stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", random_state=np.random.default_rng(0)
    ).confidence_interval
    assert found is not None
    assert found.interval is not None
    assert found.value == pytest.approx(values.mean())
    tolerance = 0.06 * (expected.high - expected.low)
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(expected), abs=tolerance)


def test_a_paired_difference_has_a_narrower_interval_than_two_means() -> None:
    values = skewed(200)
    noise = np.random.default_rng(1).normal(0.1, 0.05, 200)
    difference = bootstrap(paired(mean_of(values + noise), mean_of(values)), 200, 1)
    alone = bootstrap(mean_of(values), 200, 1)
    assert difference is not None
    assert difference.interval is not None
    assert alone is not None
    assert alone.interval is not None
    assert difference.value == pytest.approx(noise.mean())
    assert difference.interval.low < 0.1 < difference.interval.high
    assert difference.interval.high - difference.interval.low < (alone.interval.high - alone.interval.low) / 5


def test_few_examples_and_values_without_variation_have_no_interval() -> None:
    few = bootstrap(mean_of(skewed(MIN_EXAMPLES - 1)), MIN_EXAMPLES - 1, 1)
    assert few is not None
    assert few.interval is None
    same = bootstrap(mean_of(np.ones(100)), 100, 1)
    assert same is not None
    assert (same.value, same.interval) == (1.0, None)
    constant = bootstrap(mean_of(np.zeros(100)), 100, 1, constant=True)
    assert constant is not None
    assert constant.interval is not None
    assert (constant.interval.low, constant.interval.high) == (0.0, 0.0)


def test_an_undefined_statistic_is_none_or_has_no_interval() -> None:
    assert bootstrap(mean_of(np.full(100, np.nan)), 100, 1) is None
    assert bootstrap(mean_of(np.ones(1)), 0, 1) is None

    def only_if_the_first_is_drawn(counts: Values) -> Values:  # in 63 % of the resamples
        return np.where(counts[:, 0] > 0, counts[:, 1], np.nan)

    found = bootstrap(only_if_the_first_is_drawn, 100, 1)
    assert found is not None
    assert (found.value, found.interval) == (1.0, None)


def test_slow_statistics_get_fewer_resamples() -> None:
    assert repeats_for(0) == repeats_for(1000) == REPEATS
    assert repeats_for(10**12) == 400
    assert 400 < repeats_for(400_000) < REPEATS
