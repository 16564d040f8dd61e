"""Percentiles of latencies with intervals over processes, and histograms."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_bench.bench.stats.intervals import Interval, Values
from edge_bench.bench.stats.latency import Percentile, histogram, latencies_needed, percentiles


def processes(count: int, latencies: int, seed: int = 0) -> list[Values]:
    generator = np.random.default_rng(seed)
    return [np.exp(generator.normal(0, 0.1, latencies)) for _ in range(count)]


def one(values: list[Values], percent: float) -> Percentile:
    (found,) = percentiles(values, [percent])
    return found


@pytest.mark.parametrize(("percent", "needed"), [(1, 500), (10, 50), (50, 10), (90, 50), (95, 100), (99, 500)])
def test_a_percentile_needs_enough_latencies_in_each_process(percent: float, needed: int) -> None:
    assert latencies_needed(percent) == needed
    assert one(processes(5, needed), percent).value is not None
    few = one(processes(5, needed - 1), percent)
    assert (few.value, few.interval, few.processes, few.per_process) == (None, None, 5, needed - 1)


def test_thirty_trials_of_ten_images_have_no_p99_and_59_latencies_no_p95() -> None:
    assert one(processes(5, 60), 99).value is None
    assert one(processes(1, 59), 95).value is None


def test_the_value_is_the_percentile_of_all_latencies() -> None:
    values = processes(5, 1000)
    for each in percentiles(values):
        assert each.value == np.percentile(np.concatenate(values), each.percentile)
        assert each.value is not None
        assert each.interval is not None
        assert each.interval.low <= each.value <= each.interval.high


def test_a_single_process_has_an_estimate_without_interval() -> None:
    found = one(processes(1, 1000), 99)
    assert found.value is not None
    assert found.interval is None
    assert one([], 99).value is None


def test_processes_that_differ_have_a_wide_interval_and_equal_ones_none() -> None:
    found = one([np.full(1000, centre) for centre in (1.0, 1.1, 1.2, 1.3, 1.4)], 50)
    assert found.interval == Interval(1.0, 1.4)
    assert one([np.ones(1000)] * 5, 50).interval == Interval(1.0, 1.0)


def test_a_tail_in_a_few_processes_reaches_into_the_interval() -> None:
    values = processes(5, 1000)
    values[0][:30] *= 10  # 0.6 % of all: the pooled p99 is not among them
    found = one(values, 99)
    assert found.value is not None
    assert found.interval is not None
    assert found.value < 2
    assert found.interval.high > 5


def test_the_high_end_of_p90_has_a_higher_level_than_those_of_p50_and_p99() -> None:
    # The shares above 2 are 10 % less 2.3 % on average, without skewness: Student's t is -3.25. Its quantile for four
    # degrees of freedom is 2.78 at 97.5 % and 3.75 at 99 %.
    values = [np.repeat([1.0, 2.0, 3.0], [902 - one, 41 - 9 * one, 57 + 10 * one]) for one in range(5)]
    assert one(values, 90).interval == Interval(1.0, 3.0)
    (lower,) = percentiles(values, [90], high_level=0.975)
    assert lower.interval == Interval(1.0, 2.0)
    for differing in (50, 99):
        assert one(values, differing) == percentiles(values, [differing], high_level=0.975)[0]


def test_a_short_process_does_not_withhold_the_percentile() -> None:
    assert one([*processes(5, 1000), np.ones(20)], 99).interval is not None


@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, 1.5, 2.0, 1e12]), min_size=10, max_size=60), max_size=4))
def test_any_latencies_have_finite_percentiles_in_order(values: list[list[float]]) -> None:
    found = percentiles([np.array(each) for each in values])
    known = [each.value for each in found if each.value is not None]
    assert all(first <= second for first, second in pairwise(known))
    for each in found:
        if each.interval is not None and each.value is not None:
            assert 0 <= each.interval.low <= each.value <= each.interval.high < np.inf


@pytest.mark.parametrize(("percent", "outliers"), [(50, 0.0), (90, 0.0), (99, 0.0), (99, 0.02)])
def test_the_interval_covers_the_percentile(percent: float, outliers: float) -> None:
    generator = np.random.default_rng(3)

    def draw() -> Values:
        values: Values = np.exp(generator.normal(0, 0.003) + generator.normal(0, 0.03, 600))
        values[generator.random(600) < outliers * generator.gamma(4, 0.25)] *= 3
        return values

    truth = np.percentile(np.concatenate([draw() for _ in range(2000)]), percent)
    intervals = [one([draw() for _ in range(5)], percent).interval for _ in range(200)]
    covered = np.mean([each is not None and each.low <= truth <= each.high for each in intervals])
    assert 0.90 <= covered <= 1.0


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0, 2.0], [0.1, 0.2, 50.0], [0.0, 1.0]])
def test_a_histogram_counts_every_value_once(values: list[float]) -> None:
    found = histogram(np.array(values))
    assert sum(found.counts) == len(values)
    assert len(found.edges_ms) == len(found.counts) + 1
    assert found.edges_ms == sorted(found.edges_ms)
