"""Differences of tensors, by hand, and of every type of number."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.tasks.tensors.differences import TensorDifference, difference_of, real_values, sums_of


def difference(first: npt.ArrayLike, second: npt.ArrayLike) -> TensorDifference:
    return difference_of([sums_of(np.asarray(first), np.asarray(second))])


def test_differences_by_hand() -> None:
    found = difference([3.0, 4.0, 0.0], [3.0, 2.0, 1.0])
    assert (found.values, found.mismatched, found.max_abs) == (3, 0, 2)
    assert found.rms == pytest.approx(math.sqrt(5 / 3))
    assert found.cosine == pytest.approx(17 / (5 * math.sqrt(14)))
    assert found.snr_db == pytest.approx(10 * math.log10(25 / 5))
    assert not found.same


def test_equal_tensors_have_no_noise_and_zeros_no_direction() -> None:
    same = difference([1.0, -2.0], [1.0, -2.0])
    assert (same.max_abs, same.rms, same.cosine, same.snr_db, same.same) == (0, 0, 1, None, True)
    zeros = difference([0.0, 0.0], [0.0, 0.0])
    assert (zeros.max_abs, zeros.rms, zeros.cosine, zeros.snr_db, zeros.same) == (0, 0, None, None, True)
    one_side = difference([0.0, 0.0], [3.0, 4.0])
    assert (one_side.max_abs, one_side.cosine, one_side.snr_db) == (4, None, None)
    other_side = difference([3.0, 4.0], [0.0, 0.0])
    assert (other_side.cosine, other_side.snr_db) == (None, 0.0)
    opposite = difference([1.0], [-1.0])
    assert opposite.cosine == -1
    nothing = difference(np.empty(0), np.empty(0))
    assert (nothing.values, nothing.max_abs, nothing.rms, nothing.same) == (0, None, None, True)


def test_values_that_are_not_finite_are_counted_apart() -> None:
    nan, inf = math.nan, math.inf
    found = difference([nan, inf, -inf, nan, 1.0, inf, inf, 2.0], [nan, inf, -inf, 1.0, nan, 5.0, -inf, 4.0])
    assert (found.values, found.mismatched, found.max_abs, found.rms) == (1, 4, 2, 2)
    same = difference([nan, inf, 1.0], [nan, inf, 1.0])
    assert (same.mismatched, same.same, same.max_abs) == (0, True, 0)
    only = difference([nan], [inf])
    assert (only.values, only.mismatched, only.max_abs, only.same) == (0, 1, None, False)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_the_least_and_the_greatest_integer_do_not_overflow(dtype: str) -> None:
    limits = np.iinfo(dtype)
    found = difference(np.array([limits.min, 7], dtype), np.array([limits.max, 7], dtype))
    assert found.max_abs == float(2**limits.bits - 1)
    assert found.rms == pytest.approx(float(2**limits.bits - 1) / math.sqrt(2))


def test_large_integers_that_differ_by_one() -> None:
    assert difference(np.array([2**62]), np.array([2**62 + 1])).max_abs == 1
    assert difference(np.array([2**63], np.uint64), np.array([2**63 + 1], np.uint64)).max_abs == 1


def test_truth_values_are_0_and_1() -> None:
    found = difference([True, False, True, True], [True, True, True, False])
    assert (found.max_abs, found.rms) == (1, math.sqrt(0.5))
    assert found.cosine == pytest.approx(2 / 3)


def test_small_floats_do_not_overflow_and_different_types_compare() -> None:
    half = np.array([60_000, -60_000], np.float16)
    assert difference(half, -half).max_abs == 2 * float(np.float16(60_000))
    found = difference(np.array([1, 2], np.int8), np.array([1.5, 2.0], np.float32))
    assert found.max_abs == 0.5


def test_numbers_beyond_float64_are_refused_not_wrong() -> None:
    huge = difference([1e200, 0.0], [-1e200, 0.0])
    assert (huge.max_abs, huge.rms, huge.cosine, huge.snr_db) == (2e200, None, None, None)
    beyond = difference([1.7e308], [-1.7e308])
    assert (beyond.max_abs, beyond.rms) == (None, None)
    tiny = difference([1e-200], [2e-200])
    assert (tiny.max_abs, tiny.rms, tiny.cosine, tiny.snr_db) == (1e-200, None, None, None)


def test_quantized_values_are_compared_in_real_units() -> None:
    spec = TensorSpec(dtype="int8", shape=[1, 2], scale=0.5, zero_point=-2)
    assert real_values(np.array([-2, 1], np.int8), spec).tolist() == [0.0, 1.5]
    plain = TensorSpec(dtype="int8", shape=[1, 2])
    assert real_values(np.array([-2, 1], np.int8), plain).dtype == np.int8
    floats = TensorSpec(dtype="float32", shape=[1, 2], scale=0.5)
    assert real_values(np.array([1.0], np.float32), floats).tolist() == [1.0]


def test_tensors_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="values"):
        sums_of(np.zeros(2), np.zeros(3))


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=30), st.integers(1, 29))
def test_parts_give_the_same_as_the_whole(pairs: list[tuple[float, float]], cut: int) -> None:
    first, second = (np.array(column) for column in zip(*pairs, strict=True))
    whole = difference(first, second)
    parts = difference_of([sums_of(first[:cut], second[:cut]), sums_of(first[cut:], second[cut:])])
    assert (parts.values, parts.mismatched, parts.max_abs) == (whole.values, 0, whole.max_abs)
    for name in ("rms", "cosine", "snr_db"):
        one, other = getattr(parts, name), getattr(whole, name)
        assert one == (None if other is None else pytest.approx(other, rel=1e-9, abs=1e-9))
