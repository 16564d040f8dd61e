"""A limit is judged by a one-sided error, against scipy and by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from edge_bench.bench.stats.comparisons.limits import beyond_limit, interval_at, limit_confidence, runs_needed
from edge_bench.bench.stats.comparisons.separate_runs import Side, separate_ratio
from edge_bench.bench.stats.ratios import Ratio, ratio_from

RATIO = ratio_from(math.log(1.08), 0.012, 7.5)


@pytest.mark.parametrize("confidence", [0.90, 0.95])
def test_the_lower_end_is_above_a_limit_exactly_if_the_p_value_is_below_half_the_error(confidence: float) -> None:
    interval = interval_at(RATIO, confidence)
    assert interval is not None
    low, high = np.exp(stats.t.interval(confidence, 7.5, math.log(1.08), 0.012))
    assert (interval.low, interval.high) == pytest.approx((low, high))
    assert beyond_limit(RATIO, interval.low - 1) == pytest.approx((1 - confidence) / 2)
    assert beyond_limit(RATIO, 0.05) == pytest.approx(stats.t.sf(math.log(1.08 / 1.05) / 0.012, 7.5))


def test_without_an_error_nothing_is_beyond_a_limit() -> None:
    assert (interval_at(Ratio(2.0, None), 0.9), beyond_limit(Ratio(2.0, None), 0.05)) == (None, 1.0)
    exact = ratio_from(math.log(1.06), 0.0, math.inf)
    assert (beyond_limit(exact, 0.05), beyond_limit(exact, 0.07)) == (0.0, 1.0)


def test_few_runs_are_judged_more_strictly() -> None:
    assert [limit_confidence(*runs) for runs in ((1, 1), (2, 9), (3, 3), (5, 5))] == [0.95, 0.95, 0.90, 0.90]


def test_more_variation_and_nearer_limits_need_more_runs() -> None:
    assert [runs_needed(1.10, 0.05, sd) for sd in (0.001, 0.02, 0.03, 0.06)] == [3, 4, 6, 22]
    assert runs_needed(1.00, 0.05, 0.03) == 6
    assert runs_needed(1.10, 0.05, 0.03, error=0.05 / 9) == 12
    assert runs_needed(1.051, 0.05, 0.03) is None
    assert runs_needed(1.05, 0.05, 0.03) is None


@pytest.mark.slow
def test_the_runs_needed_decide_as_often_as_stated() -> None:
    runs = runs_needed(1.10, 0.05, 0.03)
    assert runs is not None
    generator = np.random.default_rng(1)

    def side(work: float) -> Side:
        return Side([[np.array([speed])] for speed in work * generator.lognormal(0, 0.03, runs)])

    found = [
        beyond_limit(separate_ratio(side(1.10), side(1.0), same_machine=True).ratio, 0.05) < 0.05 for _ in range(1500)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)
