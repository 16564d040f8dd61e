"""The change of a level, its interval with correlated errors, and its moment."""

import numpy as np
import pytest

from edge_bench.bench.stats.comparisons.level_change import EARLY, LATE, change_point, level_ratio, window
from edge_bench.bench.stats.comparisons.level_drift import drift_inflation
from edge_bench.bench.stats.intervals import Values


def test_windows_are_shares_of_the_time() -> None:
    shares = np.array([0.0, 0.05, 0.1, 0.4, 0.7, 0.99, 1.0])
    assert window(shares, shares, EARLY).tolist() == [0.0, 0.05]
    assert window(shares, shares, LATE).tolist() == [0.7, 0.99, 1.0]


def shares_of(times: Values) -> Values:
    return np.arange(len(times)) / len(times)


def test_the_ratio_is_hodges_and_lehmanns() -> None:
    times = np.array([1.0, 1.0, 5.0, 5.0, 5.0, 5.0, 5.0, 3.0, 2.0, 8.0])
    ratio = level_ratio(times, shares_of(times))
    assert ratio is not None
    assert ratio.value == pytest.approx(3)
    assert ratio.interval is None  # a single early time
    assert level_ratio(times[:7], shares_of(times)[:7]) is None


def correlated(generator: np.random.Generator, count: int, neighbours: int, sigma: float) -> Values:
    """Return times of level 1 whose errors are moving averages over ``neighbours``."""
    errors = generator.normal(0, sigma, count + neighbours - 1)
    return np.exp(np.convolve(errors, np.ones(neighbours) / np.sqrt(neighbours), "valid"))


@pytest.mark.parametrize("neighbours", [4, 40])  # a block at the start has 8 of 400 times
@pytest.mark.parametrize("end", [0.5, 0.7], ids=["step", "ramp"])
def test_the_interval_covers_the_ratio_although_the_machine_drifts(neighbours: int, end: float) -> None:
    generator, covered, shares = np.random.default_rng(0), 0, np.arange(400) / 400
    truth = 1 + 0.1 * (np.clip((shares - 0.3) / (end - 0.3), 0, 1) if end == 0.7 else shares >= end)
    for _ in range(100):
        noise = correlated(generator, 400, neighbours, 0.01) * np.exp(generator.normal(0, 0.005, 400))
        ratio = level_ratio(noise * truth, shares)
        assert ratio is not None
        assert ratio.interval is not None
        covered += ratio.interval.low <= 1.1 <= ratio.interval.high
    assert covered > 85  # 50 to 60 with 40 neighbours, if only the jackknife counts


def test_a_drift_widens_the_interval_and_independent_errors_hardly_do() -> None:
    generator, shares = np.random.default_rng(1), np.arange(400) / 400
    factors = {
        neighbours: np.median([
            found[0]
            for _ in range(60)
            if (found := drift_inflation(correlated(generator, 400, neighbours, 0.01), shares))
        ])
        for neighbours in (1, 40)
    }  # fmt: skip
    assert factors[1] < 2
    assert factors[40] > 4


def test_disturbed_and_equal_times_say_nothing_about_a_drift() -> None:
    shares = np.arange(100) / 100
    assert drift_inflation(np.ones(100), shares) == (1.0, np.inf)
    assert drift_inflation(np.ones(100)[:60], shares[:60]) is None
    assert drift_inflation(np.ones(39), np.arange(39) / 39) is None
    times = np.random.default_rng(2).lognormal(0, 0.01, 100)
    disturbed = np.where(np.arange(100) == 80, 50.0, times)
    assert drift_inflation(disturbed, shares)[0] < 3 * drift_inflation(times, shares)[0]  # type: ignore[index]


def test_the_moment_of_a_change() -> None:
    times = np.concatenate([np.full(30, 1.0), np.full(70, 1.2)])
    times[[3, 50]] = 5.0, 0.2  # outliers
    assert change_point(times, 1.0, 1.2) == 30
    assert change_point(np.geomspace(1, 1.2, 101), 1.0, 1.2) == pytest.approx(50, abs=1)
    assert change_point(np.full(10, 1.2), 1.0, 1.2) == 0
