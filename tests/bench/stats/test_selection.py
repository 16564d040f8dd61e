"""Selection of the clearly best classifier, against scipy's binomial distribution and by its error rate."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from edge_bench.bench.stats.intervals import binomial_half_tail
from edge_bench.bench.stats.selection import ALPHA, select_best


@pytest.mark.parametrize(("first", "second"), [(0, 0), (10, 0), (9, 0), (30, 12), (3, 9), (700, 620)])
def test_tail_is_that_of_the_binomial_distribution(first: int, second: int) -> None:
    expected = stats.binom.sf(first - 1, first + second, 0.5) if first + second else 1.0

    assert binomial_half_tail(first, second) == pytest.approx(expected, rel=1e-9)


def outcomes(*counts: int, images: int = 40) -> list[npt.NDArray[Any]]:
    """Return one array per candidate, in which the first images are correct."""
    return [np.arange(images) < count for count in counts]


def test_ten_images_more_decide_between_two_candidates_and_nine_do_not() -> None:
    assert select_best(outcomes(30, 20)).groups == ((0,),)
    assert select_best(outcomes(30, 21)).groups == ((0,), (1,))


def test_more_candidates_need_more_evidence() -> None:
    best, other = outcomes(30, 20)
    another = best & np.roll(other, 10)  # as many as ``other``, on other images

    assert select_best([best, other]).clear
    assert not select_best([best, other, another]).clear


def test_candidates_that_predict_the_same_are_one() -> None:
    assert select_best(outcomes(20, 30, 20, 30, 20), same=["a", "b", "a", "b", "a"]).groups == ((1, 3),)


def test_candidates_that_are_only_equally_good_are_not_one() -> None:
    assert select_best(outcomes(15, 30, 30)).groups == ((1,), (2,))


def test_only_candidates_that_are_not_clearly_worse_remain() -> None:
    assert select_best(outcomes(5, 39, 40)).groups == ((2,), (1,))


def test_a_candidate_is_rarely_adopted_if_all_are_equally_good() -> None:
    """Five equal candidates, 4,000 times: at most the share that ALPHA allows, with a margin for chance.

    The most accurate one is compared, so each pair counts from both sides: five candidates allow 5 × ALPHA.
    """
    generator = np.random.default_rng(7)
    adopted = sum(select_best(list(generator.random((5, 60)) < 0.6)).clear for _ in range(4000))

    assert adopted <= 4000 * 5 * ALPHA + 3 * np.sqrt(4000 * 5 * ALPHA)
