"""Sparklines of trial times."""

import numpy as np
import pytest

from edge_bench.app.render.text.sparkline import sparkline


def test_a_steady_measurement_looks_steady() -> None:
    generator = np.random.default_rng(1)
    assert len(set(sparkline(generator.normal(1, 0.002, 30).tolist(), 15)[:15])) == 1


def test_a_single_slow_trial_is_visible() -> None:
    bars = sparkline([1.0] * 29 + [1.5], 15)
    assert bars == "▄" * 14 + "█ ±50 %"


def test_fewer_than_two_values_have_no_sparkline() -> None:
    assert sparkline([]) == ""
    assert sparkline([1.0]) == ""


@pytest.mark.parametrize(
    ("factor", "shown"), [(1.012, "±1.2 %"), (11, "±1000 %"), (11.1, "> ±1,000 %"), (1e12, "> ±1,000 %")]
)
def test_the_largest_deviation_is_not_stated_beyond_ten_times_the_median(factor: float, shown: str) -> None:
    assert sparkline([1.0, 1.0, 1.0, factor]).partition(" ")[2] == shown
