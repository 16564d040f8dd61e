"""Which configurations are slower than the fastest one."""

import math

from edge_bench.bench.stats.comparisons.fastest import slower_than_fastest
from edge_bench.bench.stats.ratios import Ratio, ratio_from


def ratio(value: float, error: float | None, freedom: float | None = 4) -> Ratio:
    return ratio_from(math.log(value), error, freedom)


def test_a_much_slower_configuration_is_found() -> None:
    assert slower_than_fastest([ratio(1.5, 0.01), ratio(1.01, 0.01)]) == [True, False]


def test_an_error_that_is_small_by_chance_does_not_decide() -> None:
    equal = [ratio(1.0, 0.02) for _ in range(28)]
    assert slower_than_fastest([ratio(1.06, 0.0), *equal]) == [False] * 29
    assert slower_than_fastest([ratio(1.06, 0.0)]) == [True]


def test_a_configuration_that_varies_more_must_be_slower_by_its_own_interval() -> None:
    assert slower_than_fastest([ratio(1.5, 0.5), *[ratio(1.0, 0.005)] * 3]) == [False] * 4


def test_without_intervals_none_is_slower() -> None:
    assert slower_than_fastest([ratio(2.0, None, None), ratio(3.0, None, None)]) == [False, False]
    assert slower_than_fastest([ratio(2.0, None, None), ratio(3.0, 0.01)]) == [False, True]
    assert slower_than_fastest([]) == []


def test_a_known_error_has_infinite_freedom() -> None:
    assert slower_than_fastest([Ratio(1.2, ratio_from(math.log(1.2), 0.01, math.inf).interval, 0.01)]) == [True]
