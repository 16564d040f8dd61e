"""Outputs of examples in bounded memory, and their agreement."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.tensors import OutputRecord, check_output, unpack_values
from edge_bench.bench.tasks.tensors.agreement import output_agreements
from edge_bench.bench.tasks.tensors.recorder import Output, TensorRecorder, kept_positions
from edge_bench.bench.tasks.tensors.statistics import RunningStatistics

Example = npt.NDArray[Any]


def recorded(*outputs: Sequence[Example], names: str = "abc", most_values: int = 1 << 20) -> list[OutputRecord]:
    """Return the records of outputs, each a list with one array per example."""
    described = [
        Output(name, TensorSpec(dtype=examples[0].dtype.name, shape=[1, *examples[0].shape]))
        for name, examples in zip(names, outputs, strict=False)
    ]
    recorder = TensorRecorder(described, most_values=most_values)
    for example in zip(*outputs, strict=True):
        recorder.add(example)
    records = recorder.records()
    for record in records:
        check_output(record, len(outputs[0]))
    return records


def floats(*shape: int, count: int = 5, seed: int = 0) -> list[Example]:
    return list(np.random.default_rng(seed).normal(size=(count, *shape)).astype(np.float32))


def test_small_outputs_are_stored_whole() -> None:
    values = floats(4, 3)
    (record,) = recorded(values)
    assert (record.examples, record.stored, record.shapes) == (5, 5, [[4, 3]])
    assert np.array_equal(unpack_values(record.values), np.concatenate([each.reshape(-1) for each in values]))
    assert record.statistics.values == 60
    assert record.statistics.mean == pytest.approx(np.mean(values), rel=1e-6)
    assert record.statistics.deviation == pytest.approx(np.std(values), rel=1e-6)
    assert (record.statistics.minimum, record.statistics.maximum) == (np.min(values), np.max(values))


def test_the_rest_is_counted_but_not_stored() -> None:
    (record,) = recorded(floats(10, count=50), most_values=165)  # at most 16 values of an example, all ten
    assert (record.examples, record.stored, record.values.bits.length) == (50, 16, 160)
    assert record.statistics.values == 500
    assert len(set(unpack(record.checksums).tolist())) == 50


def test_of_large_outputs_an_even_sample_is_stored_of_at_least_sixteen_examples() -> None:
    values = floats(40, 25, count=20)
    (record,) = recorded(values, most_values=16 * 64)
    assert (record.stored, record.most_values, record.values.bits.length) == (16, 64, 16 * 64)
    kept = kept_positions(1000, 64)
    assert np.array_equal(unpack_values(record.values)[:64], values[0].reshape(-1)[kept])


@settings(deadline=None)
@given(st.integers(1, 5000), st.integers(1, 200))
def test_kept_positions_are_different_in_order_and_spread(size: int, most: int) -> None:
    kept = np.arange(size)[kept_positions(size, most)]
    assert len(kept) == min(size, most)
    assert (np.diff(kept) > 0).all()
    if size > most:
        assert np.diff(kept, prepend=-1, append=size).max() <= 2 * size / most + 1


def test_a_sample_visits_every_channel() -> None:
    kept = np.arange(64 * 21)[kept_positions(64 * 21, 64)]
    assert len(set(kept % 21)) == 21


def test_all_outputs_of_an_example_are_stored_or_none() -> None:
    first, second = recorded(floats(2, count=30), floats(14, count=30), most_values=330)
    assert first.stored == second.stored == 330 // 16


@pytest.mark.parametrize(
    "dtype",
    ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"],
)
def test_every_type_of_number_is_stored_unchanged(dtype: str) -> None:
    bits = np.random.default_rng(1).integers(0, 2 if dtype == "bool" else 256, 64, np.uint8)
    values = [bits.view(dtype)] if dtype != "bool" else [bits.astype(np.bool_)]
    (record,) = recorded(values)
    found = unpack_values(record.values)
    assert found.dtype == dtype
    assert found.tobytes() == values[0].tobytes()
    agreement = output_agreements([record], [record]).outputs[0]
    assert (agreement.identical, agreement.difference.same) == (1, True)


@pytest.mark.parametrize("dtype", ["object", "str", "bytes", "complex64", "float128", "nonsense"])
def test_strings_and_other_types_are_refused(dtype: str) -> None:
    with pytest.raises(BadInput) as caught:
        TensorRecorder([Output("words", TensorSpec(dtype=dtype, shape=[1]))])
    assert caught.value.exit_code == 2


def test_an_output_of_another_type_than_stated_is_refused() -> None:
    recorder = TensorRecorder([Output("a", TensorSpec(dtype="float32", shape=[1]))])
    with pytest.raises(ValueError, match="float64"):
        recorder.add([np.zeros(1)])


def test_shapes_may_differ_from_example_to_example() -> None:
    values = [np.arange(size, dtype=np.float32).reshape(size, 1) for size in (3, 0, 2, 3)]
    (record,) = recorded(values)
    assert record.shapes == [[3, 1], [0, 1], [2, 1]]
    assert record.sizes().tolist() == [3, 0, 2, 3]
    other = [values[0], values[1], np.zeros((1, 2), np.float32), values[3] + 1]
    found = output_agreements([record], recorded(other)).outputs[0]
    assert (found.compared, found.other_shapes, found.identical, found.worst_example) == (3, 1, 2, 3)


def test_agreement_names_the_worst_example() -> None:
    first = floats(8)
    second = [each.copy() for each in first]
    second[3][2] += 2
    second[1][5] -= 1
    found = output_agreements(recorded(first), recorded(second)).outputs[0]
    assert (found.total_examples, found.compared, found.identical, found.sampled) == (5, 5, 3, 0)
    assert found.worst_example == 3
    assert found.worst is not None
    assert found.worst.max_abs == found.difference.max_abs == pytest.approx(2, rel=1e-6)
    assert found.difference.rms == pytest.approx(np.sqrt(5 / 40), rel=1e-6)
    chosen = (np.array([1, 2, 0]), np.array([1, 2, 0]))
    some = output_agreements(recorded(first), recorded(second), chosen).outputs[0]
    assert (some.total_examples, some.identical, some.worst_example) == (3, 2, 0)
    second[2][0] = np.nan  # worse than any difference
    assert output_agreements(recorded(first), recorded(second)).outputs[0].worst_example == 2


def test_examples_that_are_not_stored_are_still_compared_by_checksum() -> None:
    first = floats(10, count=50)
    second = [each.copy() for each in first]
    second[49][0] += 1
    found = output_agreements(recorded(first, most_values=165), recorded(second, most_values=165)).outputs[0]
    assert (found.compared, found.identical, found.total_examples) == (16, 49, 50)
    assert found.difference.same


def test_outputs_are_paired_by_name_or_else_by_shape_or_else_by_order() -> None:
    first, second = floats(2), floats(3, seed=1)
    ours, theirs = recorded(first, second, names="ab"), recorded(second, first, names="ba")
    found = output_agreements(ours, theirs)
    assert not found.by_order
    assert [each.difference.same for each in found.outputs] == [True, True]
    renamed = output_agreements(ours, recorded(second, first, names="xy"))
    assert not renamed.by_order
    assert [(each.name, each.other_name) for each in renamed.outputs] == [("a", "y"), ("b", "x")]
    assert [each.difference.same for each in renamed.outputs] == [True, True]
    alike = output_agreements(recorded(first, first), recorded(first, first, names="xy"))
    assert alike.by_order
    assert [(each.name, each.other_name) for each in alike.outputs] == [("a", "x"), ("b", "y")]
    assert not output_agreements(recorded(first), recorded(first, names="x")).by_order
    with pytest.raises(ValueError, match="outputs"):
        output_agreements(ours, theirs[:1])
    with pytest.raises(ValueError, match="examples"):
        output_agreements(recorded(first), recorded(floats(2, count=4)))


def test_quantized_and_float_outputs_are_compared_in_real_units() -> None:
    spec = TensorSpec(dtype="int8", shape=[1, 2], scale=0.25, zero_point=4)
    recorder = TensorRecorder([Output("a", spec)])
    recorder.add([np.array([4, 8], np.int8)])
    found = output_agreements(recorder.records(), recorded([np.array([0, 1.5], np.float32)])).outputs[0]
    assert (found.identical, found.difference.max_abs) == (None, 0.5)
    assert recorder.records()[0].statistics.maximum == 1.0


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(width=32), max_size=8), max_size=6))
def test_running_statistics_are_those_of_all_values_together(parts: list[list[float]]) -> None:
    running = RunningStatistics()
    for part in parts:
        running.add(np.array(part, np.float32))
    whole = np.concatenate([np.empty(0), *map(np.array, parts)])
    finite, found = whole[np.isfinite(whole)], running.result()
    assert (found.values, found.nan, found.infinite) == (len(whole), np.isnan(whole).sum(), np.isinf(whole).sum())
    assert found.zeros == np.count_nonzero(whole == 0)
    if len(finite):
        scale = np.abs(finite).max()
        assert (found.minimum, found.maximum) == (finite.min(), finite.max())
        assert found.mean == pytest.approx(finite.mean(), abs=1e-9 * scale)
        assert found.deviation == pytest.approx(finite.std(), abs=1e-7 * scale)
    else:
        assert found.mean is None


def test_statistics_beyond_float64_are_missing() -> None:
    running = RunningStatistics()
    running.add(np.array([1e308, -1e308, 1e308]))
    found = running.result()
    assert (found.maximum, found.mean, found.deviation) == (1e308, None, None)
