"""Differences of times in seconds, robust against single slow trials, and means that rest on them."""

import numpy as np
import pytest

from edge_bench.bench.stats.comparisons.shifts import interleaved_shift, rests_on_outlier, unpaired_shift
from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.ratios import median_difference


def processes(generator: np.random.Generator, seconds: float) -> list[Values]:
    """Five processes of six trials; processes differ by 0.5 %, trials by 1 %."""
    return [seconds * generator.normal(1, 0.005) * generator.normal(1, 0.01, 6) for _ in range(5)]


def test_a_shift_is_the_median_of_all_pairwise_differences() -> None:
    first, second = [np.array([3.0, 5.0]), np.array([4.0])], [np.array([1.0]), np.array([2.0, 2.5])]
    differences = [a - b for a in (3, 5, 4) for b in (1, 2, 2.5)]
    assert interleaved_shift(first, second).value == pytest.approx(float(np.median(differences)))
    assert unpaired_shift(first, second).value == median_difference(first, second)


@pytest.mark.parametrize("shift", [interleaved_shift, unpaired_shift])
def test_one_trial_of_ten_times_the_length_does_not_move_a_shift(shift: object) -> None:
    generator, covered = np.random.default_rng(0), 0
    for _ in range(300):
        first, second = processes(generator, 5.0), processes(generator, 4.0)
        first[generator.integers(5)][generator.integers(6)] *= 10
        found = shift(first, second)  # type: ignore[operator]
        assert found.interval is not None
        assert found.value == pytest.approx(1.0, abs=0.15)
        covered += found.interval.low <= 1.0 <= found.interval.high
    assert 0.92 * 300 <= covered <= 0.98 * 300


def test_one_process_has_no_interval_and_without_a_common_generation_there_is_no_shift() -> None:
    one, other = [np.array([2.0, 2.1])], [np.array([1.0, 1.1])]
    assert interleaved_shift(one, other).interval is None
    assert unpaired_shift(one, [*other, *other]).interval is None
    assert interleaved_shift([*one, np.array([])], [*other, np.array([9.0])]).value == pytest.approx(1.0)
    with pytest.raises(ValueError, match="generation"):
        interleaved_shift(one, [np.array([])])


@pytest.mark.parametrize(
    ("slow", "factor", "expected"),
    [
        (0, 1.0, False),
        (1, 10.0, True),
        (1, 1.4, True),  # moves the mean of 100 by less than 2 %, but is an outlier
        (5, 10.0, True),
        (30, 1.24, False),  # another speed of the machine
        (30, 10.0, False),
    ],
)
def test_a_mean_rests_on_single_trials(slow: int, factor: float, expected: bool) -> None:
    values = np.random.default_rng(1).normal(1, 0.01, 100)
    values[:slow] *= factor
    assert rests_on_outlier(values) is expected


def test_equal_trials_and_a_single_one_are_no_outliers() -> None:
    assert not rests_on_outlier([1.0, 1.0, 1.0, 1.0])
    assert not rests_on_outlier([1.0])
    assert rests_on_outlier([1.0] * 9 + [2.0])  # of which the median deviation is 0
