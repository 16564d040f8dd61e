"""The ratio of processes' mean log times, checked against scipy."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from edge_bench.bench.stats.comparisons.process_ratio import process_error, process_ratio
from edge_bench.bench.stats.ratios import interleaved_ratio


def test_the_interval_is_welchs_of_mean_log_times() -> None:
    generator = np.random.default_rng(0)
    first, second = (list(np.exp(generator.normal(centre, 0.1, (count, 6)))) for centre, count in ((0.2, 5), (0, 7)))
    means, other_means = (np.array([np.log(each).mean() for each in side]) for side in (first, second))
    expected = scipy_stats.ttest_ind(means, other_means, equal_var=False)
    found = process_ratio(first, second)
    interval = expected.confidence_interval()
    assert found.interval is not None
    assert found.value == pytest.approx(math.exp(means.mean() - other_means.mean()))
    assert math.log(found.interval.low) == pytest.approx(interval.low, rel=1e-6)
    assert math.log(found.interval.high) == pytest.approx(interval.high, rel=1e-6)
    error = process_error(first, second)
    assert error is not None
    assert error[1] == pytest.approx(expected.df)


def test_four_of_five_processes_at_one_speed_have_an_error() -> None:
    slow = [np.full(6, seconds) for seconds in (1.06, 1.06, 1.06, 1.06, 1.0)]
    fast = [np.full(6, seconds) for seconds in (1.0, 1.0, 1.0, 1.0, 1.06)]
    assert interleaved_ratio(slow, fast).standard_error == pytest.approx(0)
    found = process_ratio(slow, fast)
    assert found.standard_error == pytest.approx(math.log(1.06) * math.sqrt(2 * 0.2 / 5))
    assert found.value == pytest.approx(1.06 ** (3 / 5))


def test_a_single_process_has_no_error() -> None:
    assert process_error([np.ones(6)], [np.ones(6)] * 3) is None
    assert process_ratio([np.full(6, 2.0)], [np.ones(6)] * 3).value == pytest.approx(2)
    assert process_ratio([np.full(6, 2.0)], [np.ones(6)] * 3).interval is None
