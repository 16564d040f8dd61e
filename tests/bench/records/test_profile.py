"""What follows from the times of a profile."""

import pytest

from tests.made.profiles import operator_time, profile


def test_operators_add_up_within_the_tolerance_and_the_rounding() -> None:
    operators = [operator_time(0, "CONV_2D", 60), operator_time(1, "ADD", 30)]
    near = profile(*operators, invocation=96)
    assert near.adds_up
    assert near.between_seconds == pytest.approx(6e-6)
    assert near.overhead == pytest.approx(0.5)
    assert near.share([operators[0]]) == pytest.approx(60 / 96)
    assert near.covered_nodes == 2
    short = profile(*operators, invocation=101)  # 10.1 may be missing, 11 are, and rounding can hide 2
    assert (short.adds_up, short.hidden_by_rounding) == (False, True)
    incomplete = profile(*operators, invocation=104)  # 10.4 may be missing, 14 are
    assert (incomplete.adds_up, incomplete.hidden_by_rounding) == (False, False)
    assert not profile(*operators, invocation=80).adds_up  # 90 is above 88
    # with operators that take longer than an invocation, shares are of their sum
    assert profile(*operators, invocation=50).share(operators) == pytest.approx(1)


def test_rates_are_of_operators_above_the_resolution_only() -> None:
    fast, slow = operator_time(0, "ADD", 0.4), operator_time(1, "CONV_2D", 2)
    made = profile(fast, slow, invocation=3)
    assert not made.is_resolved(fast)
    assert made.is_resolved(slow)
    assert slow.macs_per_second == pytest.approx(5e8)
    assert slow.bytes_per_second == pytest.approx(2e8)
    assert slow.intensity == pytest.approx(2.5)
    assert operator_time(0, "X", 1, macs=None).macs_per_second is None
    assert operator_time(0, "X", 1, bytes_moved=None).bytes_per_second is None
