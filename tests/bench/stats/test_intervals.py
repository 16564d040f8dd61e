"""Statistics, checked against scipy and published values."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from edge_bench.bench.stats import intervals as stats
from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.stats.student import t_quantile


def test_the_median_interval_of_thirty_values_is_the_tenth_and_the_twenty_first() -> None:
    assert stats.median_interval(list(range(1, 31))) == Interval(10, 21)


@pytest.mark.parametrize("count", [6, 7, 10, 29, 30, 31, 100, 1000])
def test_the_median_interval_covers_at_least_95_percent_and_no_narrower_one_does(count: int) -> None:
    interval = stats.median_interval(np.arange(1.0, count + 1))
    assert interval is not None
    rank = int(interval.low)
    assert 1 - 2 * scipy_stats.binom.cdf(rank - 1, count, 0.5) >= 0.95
    assert 1 - 2 * scipy_stats.binom.cdf(rank, count, 0.5) < 0.95


def test_five_values_have_no_median_interval() -> None:
    assert stats.median_interval([1, 2, 3, 4, 5]) is None


def test_an_interval_over_processes_covers_differing_processes_and_jumping_trials() -> None:
    differ = [np.full(6, centre) for centre in (1.0, 1.1, 1.2, 1.3, 1.4)]
    logs = np.log([1.0, 1.1, 1.2, 1.3, 1.4])
    expected = scipy_stats.t.interval(0.95, 4, math.log(1.2), scipy_stats.sem(logs))
    interval = stats.median_interval_over_processes(differ)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(tuple(np.exp(expected)), rel=1e-6)
    jump = [np.array([1.0, 1.0, 1.0, 1.24, 1.24, 1.24]) for _ in range(5)]  # their medians are all the same
    assert stats.median_interval_over_processes(jump) == Interval(1.0, 1.24)


def test_an_interval_over_few_processes() -> None:
    few = stats.median_interval_over_processes([np.array([1.0, 1.0]), np.array([1.1, 1.1])])
    assert few is not None
    assert few.low < 1.0 < 1.1 < few.high
    assert stats.median_interval_over_processes([np.arange(1.0, 31.0)]) == Interval(10, 21)
    assert stats.median_interval_over_processes([np.array([1.0])]) is None
    assert stats.median_interval_over_processes([]) is None


@pytest.mark.parametrize(("right", "total"), [(0, 10), (10, 10), (8042, 10_000), (1, 3), (751, 1000)])
def test_wilson_equals_scipy(right: int, total: int) -> None:
    expected = scipy_stats.binomtest(right, total).proportion_ci(method="wilson")
    interval = stats.wilson(right, total)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 4, 7.3, 29, 1000])
def test_student_t_equals_scipy(freedom: float) -> None:
    assert t_quantile(freedom) == pytest.approx(scipy_stats.t.ppf(0.975, freedom), rel=1e-6)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_exact_binomial_test(only_first: int, only_second: int) -> None:
    discordant = only_first + only_second
    expected = scipy_stats.binomtest(only_first, discordant, 0.5).pvalue if discordant else 1.0
    assert stats.mcnemar(only_first, only_second) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_is_exact_for_thousands_of_discordant_images() -> None:
    assert stats.mcnemar(4_000, 4_000) == 1.0
    assert stats.mcnemar(4_800, 5_200) == pytest.approx(scipy_stats.binomtest(4_800, 10_000).pvalue, rel=1e-9)


def test_the_paired_difference_is_that_of_agresti_and_min() -> None:
    # their example: approval of a prime minister, 1,600 people asked twice; 150 and 86 changed their minds
    first = np.array([True] * (794 + 150) + [False] * (86 + 570))
    second = np.array([True] * 794 + [False] * 150 + [True] * 86 + [False] * 570)
    difference = stats.paired_difference(first, second)
    assert (difference.only_first, difference.only_second) == (150, 86)
    assert difference.value == pytest.approx(0.04)
    assert difference.interval.low == pytest.approx(0.0212, abs=2e-4)
    assert difference.interval.high == pytest.approx(0.0586, abs=2e-4)


def test_outliers_are_found_and_ordinary_values_are_not() -> None:
    ordinary = list(np.random.default_rng(2).normal(1, 0.01, 30))
    assert stats.outliers(ordinary) == []
    assert stats.outliers([*ordinary[:10], 2.0, *ordinary[10:]]) == [10]


def test_a_slow_end_is_drift_and_a_slow_start_is_not() -> None:
    assert stats.drifts([1.0] * 20 + [1.1] * 10)
    assert not stats.drifts([1.1] * 10 + [1.0] * 20)


def test_a_warning_starts_at_a_spread_of_ten_percent() -> None:
    assert stats.spread_warning([1.0, 1.01, 0.99, 1.0]) is None
    wide, one_extreme = [1.0, 1.3, 0.8], [1.0] * 200 + [1.6]
    deviations = [stats.relative_deviation(values) or 0.0 for values in (one_extreme, wide)]
    assert deviations[0] < stats.UNSTABLE <= deviations[1]
    assert stats.spread_warning(wide)
    assert stats.spread_warning(one_extreme) not in (None, stats.spread_warning(wide))
    assert stats.spread_warning([1.0] * 200 + [1.4]) is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float64])
@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_medians_of_small_integers_do_not_overflow(dtype: Any, count: int) -> None:
    """Latencies are packed as the smallest integers that fit: the sum of two of 40,000 ns needs more than 16 bits."""
    largest = 250 if dtype is np.uint8 else 65_000
    values: npt.NDArray[Any] = np.arange(largest - count, largest).astype(dtype)
    assert stats.median(values) == np.median(values)
