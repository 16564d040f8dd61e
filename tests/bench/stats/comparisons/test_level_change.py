"""The change of a level, its interval with correlated errors, and its moment."""

import numpy as np
import pytest

from edge_bench.bench.stats.comparisons.level_change import EARLY, LATE, change_point, level_ratio, window
from edge_bench.bench.stats.intervals import Values


def test_windows_are_shares_of_the_time() -> None:
    shares = np.array([0.0, 0.05, 0.1, 0.4, 0.7, 0.99, 1.0])
    assert window(shares, shares, EARLY).tolist() == [0.0, 0.05]
    assert window(shares, shares, LATE).tolist() == [0.7, 0.99, 1.0]


def test_the_ratio_is_hodges_and_lehmanns() -> None:
    ratio = level_ratio(np.array([3.0, 2.0, 8.0]), np.array([1.0, 1.0, 1.0, 1.0]))
    assert ratio is not None
    assert ratio.value == pytest.approx(3)
    assert level_ratio(np.zeros(0), np.ones(3)) is None
    single = level_ratio(np.ones(1), np.ones(5))
    assert single is not None
    assert single.interval is None


def correlated(generator: np.random.Generator, count: int, neighbours: int) -> Values:
    """Return times of level 1 whose errors are moving averages over ``neighbours``."""
    errors = generator.normal(0, 0.02, count + neighbours - 1)
    return np.exp(np.convolve(errors, np.ones(neighbours) / np.sqrt(neighbours), "valid"))


def test_the_interval_covers_the_ratio_although_neighbours_are_correlated() -> None:
    generator, covered = np.random.default_rng(0), 0
    for _ in range(200):
        early, late = correlated(generator, 100, 4), 1.1 * correlated(generator, 300, 4)
        ratio = level_ratio(late, early)
        assert ratio is not None
        assert ratio.interval is not None
        covered += ratio.interval.low <= 1.1 <= ratio.interval.high
    assert 0.88 < covered / 200 < 0.99


def test_the_moment_of_a_change() -> None:
    times = np.concatenate([np.full(30, 1.0), np.full(70, 1.2)])
    times[[3, 50]] = 5.0, 0.2  # outliers
    assert change_point(times, 1.0, 1.2) == 30
    assert change_point(np.geomspace(1, 1.2, 101), 1.0, 1.2) == pytest.approx(50, abs=1)
    assert change_point(np.full(10, 1.2), 1.0, 1.2) == 0
