"""How many images an accuracy limit needs, by simulation of the gate's own interval."""

import numpy as np
import pytest

from edge_bench.bench.stats.accuracy import MIN_DISCORDANT, decidable, images_needed, pass_probability
from edge_bench.bench.stats.intervals import mcnemar, paired_difference


def pair(lost: int, gained: int, images: int = 1000) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    new, old = np.ones(images, bool), np.ones(images, bool)
    new[:lost] = False
    old[lost : lost + gained] = False
    return new, old


def passes(images: int, limit: float, share: float, draws: int = 2000) -> float:
    """Return the share of unchanged models whose interval is above -``limit``."""
    generator, passed = np.random.default_rng(0), 0
    for _ in range(draws):
        discordant = generator.binomial(images, share)
        gained = generator.binomial(discordant, 0.5)
        passed += paired_difference(*pair(discordant - gained, gained, images)).interval.low >= -limit
    return passed / draws


@pytest.mark.parametrize(
    ("points", "share"), [(1.0, 0.03), (0.5, 0.01), (2.0, 0.1), (5.0, 0.3), (1.0, 0.002), (10.0, 0.9)]
)
def test_an_unchanged_model_passes_with_the_images_needed_in_four_of_five(points: float, share: float) -> None:
    needed = images_needed(points, share)
    assert passes(needed, points / 100, share) >= 0.78
    assert passes(needed * 2 // 3, points / 100, share) < 0.78


def test_a_one_point_gate_on_500_images_passes_few_unchanged_models() -> None:
    assert pass_probability(500, 0.01, 0.03) == pytest.approx(passes(500, 0.01, 0.03), abs=0.03)
    assert pass_probability(500, 0.01, 0.03) < 0.3
    assert images_needed(1.0, 0.03) > 2000


def test_more_certainty_and_tighter_limits_need_more_images() -> None:
    assert images_needed(1.0, 0.03, 0.95) > images_needed(1.0, 0.03, 0.8) > images_needed(2.0, 0.03, 0.8)
    assert images_needed(0.001, 0.1) > 10**9
    assert images_needed(1.0, 0.0) < 250  # the interval is not empty without a discordant image


@pytest.mark.parametrize("arguments", [(0.0, 0.1), (-1.0, 0.1), (1.0, -0.1), (1.0, 1.1), (1.0, 0.1, 1.0)])
def test_a_limit_that_no_number_of_images_meets_is_refused(arguments: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="limit"):
        images_needed(*arguments)


def test_six_discordant_images_can_decide_and_five_cannot() -> None:
    assert mcnemar(MIN_DISCORDANT, 0) < 0.05 < mcnemar(MIN_DISCORDANT - 1, 0)
    assert decidable(paired_difference(*pair(4, 2)))
    assert not decidable(paired_difference(*pair(5, 0)))
