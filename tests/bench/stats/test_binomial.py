"""Exact binomial probabilities, against scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from edge_bench.bench.stats.binomial import at_least


@given(st.integers(0, 300), st.integers(1, 300), st.floats(0.001, 0.999))
def test_upper_tail_as_in_scipy(successes: int, trials: int, probability: float) -> None:
    successes = min(successes, trials)
    expected = float(binom.sf(successes - 1, trials, probability))
    assert at_least(successes, trials, probability) == pytest.approx(expected, rel=1e-8, abs=1e-12)
