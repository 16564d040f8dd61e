"""Which configurations are slower than the fastest one."""

import math

import numpy as np
import pytest

from edge_bench.bench.stats.comparisons.fastest import probability_fastest, slower_despite_noise, slower_than_fastest
from edge_bench.bench.stats.ratios import Ratio, interleaved_ratio, ratio_from
from edge_bench.bench.stats.student import t_tail


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


def test_a_slow_and_noisy_configuration_does_not_hide_differences_between_the_others() -> None:
    ratios = [ratio(1.2, 0.02), ratio(1.01, 0.02), ratio(12.0, 0.3)]
    assert slower_than_fastest(ratios) == [False, False, True]
    assert slower_despite_noise(ratios) == [True, False, True]


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.5])
def test_of_equally_fast_ones_any_is_called_slower_in_about_5_percent(noise: float) -> None:
    generator, wrong, repetitions = np.random.default_rng(1), 0, 150
    for _ in range(repetitions):
        sides = [
            [np.exp(generator.normal(0, noise) + generator.normal(0, 0.02, 6)) for _ in range(5)] for _ in range(9)
        ]
        fastest = min(range(9), key=lambda number: float(np.median(np.concatenate(sides[number]))))
        ratios = [interleaved_ratio(side, sides[fastest]) for side in sides if side is not sides[fastest]]
        wrong += any(slower_despite_noise(ratios))
    assert wrong <= 0.08 * repetitions


def test_the_probability_is_what_all_doubts_leave() -> None:
    alone = probability_fastest([ratio(1.1, 0.05, math.inf)])
    assert alone == pytest.approx(1 - t_tail(math.log(1.1) / 0.05, math.inf))
    more = probability_fastest([ratio(1.1, 0.05, math.inf)], [ratio(1.2, 0.1, math.inf)])
    assert more == pytest.approx(alone - t_tail(math.log(1.2) / 0.1, math.inf))
    assert probability_fastest([ratio(1.0, 0.01)]) == pytest.approx(0.5)
    assert probability_fastest([ratio(1.0, 0.01)] * 3) == 0
    assert probability_fastest([ratio(2.0, None, None)]) == 0
    assert probability_fastest([ratio(1.1, 0.0, math.inf)]) == 1
    # an error that is large by itself counts
    assert probability_fastest([ratio(1.1, 0.2), *[ratio(3.0, 0.001)] * 9]) < 0.75
