"""Sessions of LiteRT and ONNX Runtime for graphs with any inputs and outputs."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_bench.bench.runtimes import RUNTIMES, graph_loader
from edge_bench.bench.runtimes.graphs.base import Feed, GraphFile, GraphSession
from tests.made.graph.graphs import (
    TYPES,
    found_positions_onnx,
    found_positions_tflite,
    mixed_onnx,
    mixed_tflite,
    two_signatures_tflite,
)
from tests.made.onnx import OnnxBuilder
from tests.made.tflite import TfliteBuilder

GENERATOR = np.random.default_rng(1)
VALUES = (4 * GENERATOR.random((7, 3))).astype(np.float32)
IDS = GENERATOR.integers(-(2**40), 2**40, (7, 2))
FLAGS = np.array([[1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]], np.bool_)


def opened(runtime: str, path: Path, batch_size: int | None = None, **settings: Any) -> GraphSession:
    session = graph_loader(RUNTIMES[runtime])(GraphFile(path, 1, batch_size, **settings))
    session.learn_outputs()
    return session


def by_example(session: GraphSession, *values: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Return each output of all examples, from batches of the session's size; run a timed pass, too."""
    feeds = [Feed(each, has) for each, has in zip(values, session.has_batch_axis, strict=True)]
    times = session.run_pass(feeds, time.perf_counter_ns)
    assert len(times.began) == -(-len(values[0]) // session.batch_size)
    assert np.all(times.ended > times.began)
    size = session.batch_size
    starts = range(0, len(values[0]), size)
    parts = [
        session.invoke([each.values[at : at + size] if each.has_batch_axis else each.values[at, ...] for each in feeds])
        for at in starts
    ]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


@pytest.mark.parametrize(
    ("runtime", "batch_size"), [("litert", 1), ("litert", 4), ("onnxruntime", 1), ("onnxruntime", 4)]
)
def test_several_inputs_and_outputs_of_several_types(runtime: str, batch_size: int, tmp_path: Path) -> None:
    make, name = (mixed_tflite, "m.tflite") if runtime == "litert" else (mixed_onnx, "m.onnx")
    session = opened(runtime, make(tmp_path / name), batch_size)
    assert [spec.dtype for spec in session.inputs] == ["float32", "int64"]
    assert [(spec.dtype, spec.shape) for spec in session.outputs] == [
        ("float32", [batch_size, 3]), ("bool", [batch_size, 3]), ("float32", [batch_size, 2])
    ]  # fmt: skip
    assert (session.fixed_batch, list(session.keeps_batch_axis)) == (None, [True] * 3)
    sums, above, floats = by_example(session, VALUES, IDS)
    np.testing.assert_array_equal(sums, VALUES + VALUES)
    np.testing.assert_array_equal(above, VALUES > 1)
    np.testing.assert_array_equal(floats, IDS.astype(np.float32))


def test_names_of_a_tflite_file(tmp_path: Path) -> None:
    named = opened("litert", mixed_tflite(tmp_path / "named.tflite", signature="serve"))
    assert [spec.name for spec in named.inputs] == ["values", "ids"]
    assert [spec.name for spec in named.outputs] == ["sums", "above", "floats"]
    tensors = opened("litert", mixed_tflite(tmp_path / "tensors.tflite"))
    assert [spec.name for spec in tensors.inputs] == ["t0", "t1"]


@pytest.mark.parametrize(("runtime", "name"), [("litert", "m.tflite"), ("onnxruntime", "m.onnx")])
def test_larger_batches_of_a_fixed_batch_axis_are_refused(runtime: str, name: str, tmp_path: Path) -> None:
    if runtime == "litert":
        path = mixed_tflite(tmp_path / name, open_batch=False)
    else:
        path = mixed_onnx(tmp_path / name, batch=1)
    session = opened(runtime, path)
    assert (session.fixed_batch, session.batch_size) == (1, 1)
    np.testing.assert_array_equal(by_example(session, VALUES, IDS)[0], VALUES + VALUES)
    with pytest.raises(ValueError, match="batch of 4"):
        opened(runtime, path, 4)


@pytest.mark.parametrize("dtype", sorted(TYPES))
@pytest.mark.parametrize("runtime", ["litert", "onnxruntime"])
def test_every_type_of_number(runtime: str, dtype: str, tmp_path: Path) -> None:
    values = np.array([[0, 1], [1, 1]]).astype(dtype)
    if runtime == "litert":
        made = TfliteBuilder()
        tensor = made.tensor(1, 2, kind=TYPES[dtype][0])
        target = made.tensor(1, data=np.array([2], np.int32), kind="INT32")
        flat = made.tensor(2, kind=TYPES[dtype][0])
        made.operator("RESHAPE", [tensor, target], [flat], schema.ReshapeOptionsT())
        path = made.save(tmp_path / "m.tflite", [tensor], [flat])
    else:
        graph = OnnxBuilder()
        graph.add("Reshape", ["x", graph.constant("flat", np.array([2]))], "y")
        kind = TYPES[dtype][1]
        path = graph.save_graph(tmp_path / "m.onnx", [("x", kind, [1, 2])], [("y", kind, [2])])
    session = opened(runtime, path)
    assert (session.inputs[0].dtype, session.outputs[0].dtype) == (dtype, dtype)
    for row in values:
        (output,) = session.invoke([row[np.newaxis]])
        assert output.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(output, row)
    with pytest.raises(ValueError, match="complex64"):
        session.invoke([values[:1].astype(np.complex64)])


@pytest.mark.parametrize("runtime", ["litert", "onnxruntime"])
def test_a_scalar_input_takes_one_number_per_invocation(runtime: str, tmp_path: Path) -> None:
    if runtime == "litert":
        made = TfliteBuilder()
        number, row, total = made.tensor(), made.tensor(1, 3), made.tensor(1, 3)
        made.operator("ADD", [row, number], [total], schema.AddOptionsT())
        path = made.save(tmp_path / "m.tflite", [row, number], [total])
    else:
        graph = OnnxBuilder()
        graph.add("Add", ["row", "number"], "total")
        path = graph.save_graph(
            tmp_path / "m.onnx", [("row", "FLOAT", ["N", 3]), ("number", "FLOAT", [])], [("total", "FLOAT", ["N", 3])]
        )
    session = opened(runtime, path)
    assert (session.inputs[1].shape, list(session.has_batch_axis), session.fixed_batch) == ([], [True, False], 1)
    numbers = np.arange(7, dtype=np.float32)
    (total_of_each,) = by_example(session, VALUES, numbers)
    np.testing.assert_array_equal(total_of_each, VALUES + numbers[:, np.newaxis])
    with pytest.raises(ValueError, match="batch of 2"):
        opened(runtime, path, 2)


@pytest.mark.parametrize("runtime", ["litert", "onnxruntime"])
def test_outputs_whose_size_depends_on_the_values(runtime: str, tmp_path: Path) -> None:
    make, name = (found_positions_tflite, "m.tflite") if runtime == "litert" else (found_positions_onnx, "m.onnx")
    session = opened(runtime, make(tmp_path / name))
    assert (session.outputs[0].shape, list(session.keeps_batch_axis), session.fixed_batch) == ([-1, 2], [False], 1)
    for row in FLAGS:
        (found,) = session.invoke([row[np.newaxis]])
        np.testing.assert_array_equal(found, np.argwhere(row[np.newaxis]))
    times = session.run_pass([Feed(FLAGS, True)], time.perf_counter_ns)
    assert len(times.began) == 3
    with pytest.raises(ValueError, match="batch of 2"):
        opened(runtime, make(tmp_path / name), 2)


def test_named_signatures_of_a_tflite_file(tmp_path: Path) -> None:
    path = two_signatures_tflite(tmp_path / "m.tflite")
    main = opened("litert", path)
    assert main.inputs[0].name == "t0"
    double = opened("litert", path, signature="double")
    assert (double.inputs[0].name, double.outputs[0].name) == ("x", "doubled")
    np.testing.assert_array_equal(by_example(double, VALUES)[0], VALUES + VALUES)
    total = opened("litert", path, signature="total")
    assert (total.inputs[0].name, total.outputs[0].name) == ("step", "sum")
    np.testing.assert_allclose(by_example(total, VALUES)[0], VALUES, rtol=1e-6)
    for unknown in ("other", "serving_default"):
        with pytest.raises(ValueError, match="double, total"):
            opened("litert", path, signature=unknown)


@pytest.mark.parametrize("signature", ["", "total"])
def test_a_streaming_graph_keeps_its_state(signature: str, tmp_path: Path) -> None:
    if signature:
        path = two_signatures_tflite(tmp_path / "m.tflite")
    else:
        made = TfliteBuilder()
        value = made.tensor(1, 3)
        path = made.save(tmp_path / "m.tflite", [value], [made.running_sum(value, 3)])
    reset, kept = (opened("litert", path, signature=signature, stateful=flag) for flag in (False, True))
    for session, expected in ((reset, VALUES), (kept, np.cumsum(VALUES, axis=0))):
        session.reset_state()
        rows = np.concatenate([session.invoke([row[np.newaxis]])[0] for row in VALUES])
        np.testing.assert_allclose(rows, expected, rtol=1e-5)
    kept.reset_state()
    np.testing.assert_allclose(kept.invoke([VALUES[:1]])[0], VALUES[:1], rtol=1e-6)


@pytest.mark.parametrize("runtime", ["litert", "onnxruntime"])
def test_open_axes_take_stated_sizes_or_those_of_the_feeds(runtime: str, tmp_path: Path) -> None:
    if runtime == "litert":
        made = TfliteBuilder()
        tokens = made.tensor(1, 1, open_shape=[-1, -1])
        axis = made.tensor(1, data=np.array([1], np.int32), kind="INT32")
        options = schema.ReducerOptionsT(keepDims=True)
        mean = made.operator("MEAN", [tokens, axis], [made.tensor(1, 1, open_shape=[-1, 1])], options)
        made.signature("serve", {"tokens": tokens}, {"mean": mean})
        path = made.save(tmp_path / "m.tflite", [tokens], [mean])
    else:
        graph = OnnxBuilder()
        graph.add("ReduceMean", ["tokens"], "mean", axes=[1], keepdims=1)
        path = graph.save_graph(tmp_path / "m.onnx", [("tokens", "FLOAT", ["N", "T"])], [("mean", "FLOAT", ["N", 1])])
    described = opened(runtime, path)
    assert described.inputs[0].shape == [1, -1]
    assert described.layout.described_inputs[0].shape == [-1, -1]
    for size in (5, 8):
        tokens_of_each = GENERATOR.random((3, size), np.float32)
        np.testing.assert_allclose(
            by_example(described, tokens_of_each)[0][:, 0], tokens_of_each.mean(axis=1), rtol=1e-6
        )
    stated = opened(runtime, path, 2, shapes={"tokens": (1, 6)})
    assert (stated.inputs[0].shape, stated.outputs[0].shape) == ([2, 6], [2, 1])
    values = GENERATOR.random((5, 6), np.float32)
    np.testing.assert_allclose(by_example(stated, values)[0][:, 0], values.mean(axis=1), rtol=1e-6)
    assert opened(runtime, path, None, shapes={"tokens": (4, 6)}).batch_size == 4
    for wrong in ({"token": (1, 6)}, {"tokens": (6,)}, {"tokens": (4, 6)}):
        with pytest.raises(ValueError, match="token" if "tokens" not in wrong or len(wrong["tokens"]) == 1 else "4"):
            opened(runtime, path, 2, shapes=wrong)
    with pytest.raises(ValueError, match="tokens"):
        stated.invoke([GENERATOR.random((2, 7), np.float32)])


def test_the_only_axis_of_an_input_is_one_example_if_its_size_is_stated(tmp_path: Path) -> None:
    graph = OnnxBuilder()
    graph.add("ReduceMean", ["wave"], "mean", axes=[0], keepdims=1)
    path = graph.save_graph(tmp_path / "m.onnx", [("wave", "FLOAT", ["samples"])], [("mean", "FLOAT", [1])])
    session = opened("onnxruntime", path, shapes={"wave": (10,)})
    assert (session.inputs[0].shape, list(session.has_batch_axis), session.fixed_batch) == ([10], [False], 1)
    waves = GENERATOR.random((4, 10), np.float32)
    np.testing.assert_allclose(by_example(session, waves)[0], waves.mean(axis=1), rtol=1e-6)


@pytest.mark.parametrize("runtime", ["litert", "onnxruntime"])
def test_strings_are_refused_by_name(runtime: str, tmp_path: Path) -> None:
    if runtime == "litert":
        made = TfliteBuilder()
        text = made.tensor(1, kind="STRING")
        path = made.save(tmp_path / "m.tflite", [text], [made.tensor(1)])
    else:
        graph = OnnxBuilder()
        graph.add("Identity", ["t0"], "y")
        path = graph.save_graph(tmp_path / "m.onnx", [("t0", "STRING", [1])], [("y", "STRING", [1])])
    with pytest.raises(ValueError, match="input t0"):
        opened(runtime, path)


def test_onnx_has_no_signatures_and_may_have_its_weights_in_another_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="serve"):
        opened("onnxruntime", mixed_onnx(tmp_path / "m.onnx"), signature="serve")
    graph = OnnxBuilder()
    graph.add("Add", ["x", graph.constant("w", np.arange(300, dtype=np.float32))], "y")
    session = opened("onnxruntime", graph.save(tmp_path / "big.onnx", ["N", 300], ["N", 300], location="big.bin"))
    np.testing.assert_array_equal(session.invoke([np.ones((1, 300), np.float32)])[0][0], np.arange(1, 301))
