"""Student's t distribution and Holm's correction, against scipy and by hand."""

import math

import pytest
from scipy import stats as scipy_stats

from edge_bench.bench.stats.student import holm, t_quantile, t_tail


@pytest.mark.parametrize("freedom", [1, 1.5, 2, 4, 29.3, 1000])
@pytest.mark.parametrize("value", [-3.0, 0.0, 0.1, 1.0, 2.5, 80.0])
def test_tails_equal_scipys(freedom: float, value: float) -> None:
    assert t_tail(value, freedom) == pytest.approx(scipy_stats.t.sf(value, freedom), rel=1e-8)


@pytest.mark.parametrize("probability", [0.9, 0.975, 0.9999, 1 - 1e-7])
@pytest.mark.parametrize("freedom", [1, 4, 29.3])
def test_quantiles_equal_scipys(freedom: float, probability: float) -> None:
    assert t_quantile(freedom, probability) == pytest.approx(scipy_stats.t.ppf(probability, freedom), rel=1e-6)


def test_infinite_freedom_is_the_normal_distribution() -> None:
    assert t_quantile(math.inf) == pytest.approx(1.959964, rel=1e-6)
    assert t_tail(math.inf, 3) == 0


def test_holms_correction() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []
