"""Outputs of both sides, compared example by example."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.offload.measure.samples import Ask, compare_outputs, sampled
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.offload.records.validation import check_offload
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.worker.graphs.messages import Sample, Sampled
from tests.factories import arm, offload

Array = npt.NDArray[Any]
EXAMPLES = 70


def side(outputs: Sequence[Array], most_bytes: int = 1 << 20) -> Ask:
    """Return a side that has these outputs, [examples, …]."""

    def ask(request: Sample) -> Sampled:
        limited = Sample(positions=request.positions, most_bytes=most_bytes)
        return sampled(limited, lambda at: [each[at] for each in outputs])

    return ask


def specs(*names: str, **changes: Any) -> list[TensorSpec]:
    return [TensorSpec(name=name, dtype="float32", shape=[2], **changes) for name in names]


def values(seed: int) -> Array:
    return np.random.default_rng(seed).normal(size=(EXAMPLES, 2)).astype(np.float32)


def test_differences_are_found_whatever_fits_in_a_message() -> None:
    here, there = [values(1), values(2)], [values(1), values(2)]
    there[1][[3, 50], 1] += np.float32(0.25)
    expected = float(np.abs(there[1] - here[1]).max())
    for most_bytes in (1, 100, 1 << 20):
        compared = compare_outputs(side(here), side(there, most_bytes), (specs("a", "b"), specs("a", "b")), EXAMPLES)
        assert compared is not None
        assert (compared.examples, compared.identical, compared.by_name) == (EXAMPLES, EXAMPLES - 2, True)
        first, second = compared.outputs
        assert (first.identical, first.difference.max_abs) == (EXAMPLES, 0)
        assert (second.identical, second.difference.max_abs) == (EXAMPLES - 2, expected)


def test_outputs_are_paired_by_name_or_else_by_order() -> None:
    here, there = [values(1), values(2)], [values(2), values(1)]
    swapped = compare_outputs(side(here), side(there), (specs("a", "b"), specs("b", "a")), EXAMPLES)
    assert swapped is not None
    assert (swapped.by_name, swapped.identical) == (True, EXAMPLES)
    renamed = compare_outputs(side(here), side(here), (specs("a", "b"), specs("c", "d")), EXAMPLES)
    assert renamed is not None
    assert (renamed.by_name, renamed.identical) == (False, EXAMPLES)
    with pytest.raises(ValueError, match="1"):
        compare_outputs(side(here), side(here), (specs("a", "b"), specs("a")), EXAMPLES)


def test_quantized_outputs_are_compared_in_real_units() -> None:
    stored = np.arange(2 * EXAMPLES, dtype=np.uint8).reshape(EXAMPLES, 2)
    real = (stored.astype(np.float32) - 10) * np.float32(0.5)
    there = [TensorSpec(name="a", dtype="uint8", shape=[2], scale=0.5, zero_point=10)]
    compared = compare_outputs(side([real]), side([stored]), (specs("a"), there), EXAMPLES)
    assert compared is not None
    assert (compared.identical, compared.outputs[0].identical, compared.outputs[0].difference.max_abs) == (0, None, 0)


def test_other_shapes_and_values_that_are_not_finite_are_counted() -> None:
    here, there = values(1), values(1)
    here[0], there[0] = np.nan, np.nan
    there[1, 0] = np.inf
    compared = compare_outputs(side([here]), side([there]), (specs("a"), specs("a")), EXAMPLES)
    assert compared is not None
    assert compared.identical == EXAMPLES - 1
    assert compared.outputs[0].difference.mismatched == 1
    longer = compare_outputs(side([here]), side([np.zeros((EXAMPLES, 3))]), (specs("a"), specs("a")), EXAMPLES)
    assert longer is not None
    assert (longer.outputs[0].other_shapes, longer.outputs[0].difference.max_abs) == (EXAMPLES, None)


def test_a_side_that_fails_ends_the_comparison() -> None:
    assert compare_outputs(side([values(1)]), lambda _: None, (specs("a"), specs("a")), EXAMPLES) is None


def test_a_comparison_of_more_examples_than_there_are_is_damaged() -> None:
    compared = compare_outputs(side([values(1)]), side([values(1)]), (specs("a"), specs("a")), EXAMPLES)
    assert compared is not None
    fields: dict[str, Any] = {"accuracies": [], "began": "2026-01-01T00:00:00+00:00"}

    def checked(**changes: Any) -> None:
        import msgspec

        record: Offload = offload(
            arm(1, where="local"), arm(2), comparison=msgspec.structs.replace(compared, **changes), **fields
        )
        check_offload(record)

    checked()
    for changes in ({"examples": 101}, {"identical": EXAMPLES + 1}):
        with pytest.raises(ValueError, match="examples"):
            checked(**changes)
