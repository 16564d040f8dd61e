"""Requests to a loaded graph: every type, open axes, state, and data that is refused."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.records.run import Configuration
from edge_bench.bench.runtimes import graph_loader, runtime_named
from edge_bench.bench.worker.graphs.serving import GraphInferenceHandler
from edge_bench.bench.worker.graphs.serving_messages import (
    GraphInferred,
    GraphRefused,
    InferGraph,
    OpenGraph,
    RequestedOutput,
    SentTensor,
)
from edge_bench.bench.worker.graphs.tensor_data import DATATYPES, as_bytes, as_json
from tests.made.graph.graphs import TYPES, found_positions_onnx, two_signatures_tflite
from tests.made.onnx import OnnxBuilder

Array = npt.NDArray[Any]
FORMS = ("raw", "json")


def opened(file: Path, runtime: str = "onnxruntime", **settings: Any) -> GraphInferenceHandler:
    configuration = Configuration(variant="v", runtime=runtime, threads=1, batch_size=1)
    message = OpenGraph(configuration=configuration, file=file, **settings)
    return GraphInferenceHandler(message, graph_loader(runtime_named(runtime)))


def sent(name: str, values: Array, form: Any = "raw") -> SentTensor:
    data = as_bytes(values) if form == "raw" else as_json(values, 1 << 20)
    assert data is not None
    return SentTensor(name=name, shape=list(values.shape), form=form, data=data)


def asked(*names: str, form: Any = "raw") -> list[RequestedOutput]:
    return [RequestedOutput(name=name, form=form) for name in names]


def answered(handler: GraphInferenceHandler, *inputs: SentTensor, output: str = "y") -> Array:
    """Return an output, which has to be the same in both forms."""
    answers = []
    for form in FORMS:
        reply = handler.infer(InferGraph(inputs=list(inputs), outputs=asked(output, form=form)))
        assert isinstance(reply, GraphInferred), reply
        (tensor,) = reply.outputs
        assert (tensor.name, tensor.form) == (output, form)
        values = (
            np.frombuffer(tensor.data, tensor.dtype)
            if form == "raw"
            else np.array(msgspec.json.decode(tensor.data), tensor.dtype)
        )
        answers.append(values.reshape(tensor.shape))
    np.testing.assert_array_equal(answers[0], answers[1])
    return answers[0]


def refused(handler: GraphInferenceHandler, *inputs: SentTensor, output: str = "y") -> GraphRefused:
    reply = handler.infer(InferGraph(inputs=list(inputs), outputs=asked(output)))
    assert isinstance(reply, GraphRefused), reply
    assert reply.message
    return reply


def identity(path: Path, kind: str = "FLOAT", shape: tuple[str | int, ...] = ("N", 4)) -> Path:
    made = OnnxBuilder()
    made.add("Identity", ["x"], "y")
    return made.save_graph(path, [("x", kind, list(shape))], [("y", kind, list(shape))])


def extremes(dtype: str) -> Array:
    """Return the least, the greatest and other values of a type, [2, 4]."""
    if dtype == "bool":
        return np.array([[True, False, True, False], [False] * 4])
    if dtype.startswith("float"):
        limits = np.finfo(dtype)
        values = [limits.min, limits.max, limits.smallest_subnormal, 0.1, 1 / 3, -0.0, 5, 65504]
    else:
        info = np.iinfo(dtype)
        values = [info.min, info.max, 0, 1, info.max - 1, 7, 100, info.min + 1]
    return np.array(values, dtype).reshape(2, 4)


@pytest.mark.parametrize("dtype", DATATYPES)
def test_every_type_comes_back_exactly_in_both_forms(tmp_path: Path, dtype: str) -> None:
    handler = opened(identity(tmp_path / "m.onnx", TYPES[dtype][1]))
    values = extremes(dtype)
    assert handler.opened.takes_batches
    assert [(spec.dtype, spec.shape) for spec in handler.opened.inputs] == [(dtype, [-1, 4])]
    for form in FORMS:
        found = answered(handler, sent("x", values, form))
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found.view(np.uint8), values.view(np.uint8))


@pytest.mark.parametrize(
    ("dtype", "data"),
    [
        ("bool", b"[1,0,1,0]"),
        ("bool", b"[true,false,true,2]"),
        ("uint8", b"[0,0,0,256]"),
        ("uint8", b"[0,0,0,-1]"),
        ("uint64", b"[0,0,0,-1]"),
        ("uint64", b"[0,0,0,18446744073709551616]"),
        ("int64", b"[0,0,0,9223372036854775808]"),
        ("int32", b"[0,0,0,1.5]"),
        ("float16", b"[0,0,0,70000]"),
        ("float32", b"[0,0,0,1e39]"),
        ("float64", b"[0,0,0,1e309]"),
        ("float64", b"[0,0,0,NaN]"),
        ("float64", b"[0,0,0,true]"),
        ("float32", b"[0,0,0]"),
        ("float32", b"[[0,0],[0,0]]"),
        ("float32", b"[[[[[[0,0,0,0]]]]]]"),
        ("float32", b"{}"),
        ("float32", b"[" * 100_000),
        ("float32", b"[0,0,0,0]" + b" " * 10_000),
    ],
)
def test_json_that_is_not_of_the_type_is_refused(tmp_path: Path, dtype: str, data: bytes) -> None:
    handler = opened(identity(tmp_path / "m.onnx", TYPES[dtype][1]))
    refused(handler, SentTensor(name="x", shape=[1, 4], form="json", data=data))
    assert answered(handler, sent("x", extremes(dtype)[:1])).shape == (1, 4)


def test_bytes_that_are_not_of_the_type_are_refused(tmp_path: Path) -> None:
    handler = opened(identity(tmp_path / "m.onnx", "BOOL"))
    for data in (b"\x00\x01\x02\x01", b"\x00\x01\x01", b""):
        refused(handler, SentTensor(name="x", shape=[1, 4], form="raw", data=data))


def test_open_axes_have_any_size_in_each_request(tmp_path: Path) -> None:
    handler = opened(identity(tmp_path / "m.onnx", shape=("N", "length", 2)))
    assert [spec.shape for spec in handler.opened.inputs] == [[-1, -1, 2]]
    for shape in ((1, 5, 2), (3, 1, 2), (2, 300, 2), (1, 5, 2)):
        values = np.random.default_rng(1).random(shape).astype(np.float32)
        np.testing.assert_array_equal(answered(handler, sent("x", values)), values)
    stated = opened(identity(tmp_path / "m.onnx", shape=("N", "length", 2)), shapes={"x": [1, 7, 2]})
    assert [spec.shape for spec in stated.opened.inputs] == [[-1, 7, 2]]


def test_an_output_without_a_row_per_example_takes_one_example(tmp_path: Path) -> None:
    handler = opened(found_positions_onnx(tmp_path / "m.onnx"))
    assert not handler.opened.takes_batches
    assert [spec.shape for spec in handler.opened.inputs] == [[1, 4]]
    for flags in ([True, False, True, True], [False] * 4):
        found = answered(handler, sent("flags", np.array([flags])), output="positions")
        assert found.tolist() == [[0, at] for at in np.flatnonzero(flags)]


@pytest.mark.parametrize("stateful", [False, True])
def test_state_is_reset_before_each_invocation_unless_it_is_kept(tmp_path: Path, stateful: bool) -> None:
    handler = opened(two_signatures_tflite(tmp_path / "m.tflite"), "litert", signature="total", stateful=stateful)
    steps, expected = np.array([[1, 2, 3]], np.float32), []
    reply = InferGraph(inputs=[sent("step", steps)], outputs=asked("sum"))
    for _ in range(3):
        answer = handler.infer(reply)
        assert isinstance(answer, GraphInferred)
        expected.append(np.frombuffer(answer.outputs[0].data, np.float32).tolist())
    assert expected == [[count, 2 * count, 3 * count] for count in ([1, 2, 3] if stateful else [1, 1, 1])]


@pytest.mark.slow
def test_a_request_on_which_the_model_fails_is_refused_and_the_next_one_answered(tmp_path: Path) -> None:
    made = OnnxBuilder()
    made.add("Gather", [made.constant("table", np.arange(5, dtype=np.float32)), "x"], "y")
    handler = opened(made.save_graph(tmp_path / "m.onnx", [("x", "INT64", ["N", 2])], [("y", "FLOAT", ["N", 2])]))
    reply = refused(handler, sent("x", np.array([[1, 99]])))
    assert reply.log
    assert "99" not in reply.message
    assert answered(handler, sent("x", np.array([[1, 4], [0, 2]]))).tolist() == [[1, 4], [0, 2]]


def test_outputs_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    handler = opened(identity(tmp_path / "m.onnx"), most_output_bytes=40)
    values = np.full((3, 4), 1 / 3, np.float32)
    refused(handler, sent("x", values))
    assert isinstance(
        handler.infer(InferGraph(inputs=[sent("x", values[:1])], outputs=asked("y", form="json"))), GraphRefused
    )
    assert isinstance(handler.infer(InferGraph(inputs=[sent("x", values[:2])], outputs=asked("y"))), GraphInferred)
