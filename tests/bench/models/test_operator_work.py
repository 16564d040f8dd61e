"""Multiply-accumulates and bytes of single operators, and of several that are executed as one."""

from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.models.operators.onnx_work import onnx_work
from edge_bench.bench.models.operators.tflite_work import tflite_work
from edge_bench.bench.runtimes.profiling.base import StatedTensor
from tests.made.onnx import OnnxBuilder
from tests.made.tflite import TfliteBuilder


def test_work_of_a_tflite_model_grows_with_the_batch(tmp_path: Path) -> None:
    made = TfliteBuilder()
    taken = made.tensor(1, 8, open_shape=(-1, 8))
    weights, biases = made.tensor(3, 8, data=True), made.tensor(3, data=True)
    from ai_edge_litert import schema_py_generated as schema

    scores = made.operator(
        "FULLY_CONNECTED", [taken, weights, biases], [made.tensor(1, 3)], schema.FullyConnectedOptionsT()
    )
    last = made.operator("SOFTMAX", [scores], [made.tensor(1, 3)], schema.SoftmaxOptionsT(beta=1.0))
    path = made.save(tmp_path / "m.tflite", [taken], [last])
    one, four = tflite_work(path, 1), tflite_work(path, 4)
    dense, softmax = one.of([0]), one.of([1])
    assert (dense.kind, dense.name, dense.macs, dense.precision) == ("FULLY_CONNECTED", "t3", 24, "float32")
    assert dense.bytes_moved == 4 * (8 + 24 + 3 + 3)
    assert (softmax.macs, softmax.bytes_moved, softmax.precision) == (0, 4 * 6, "")
    both = one.of([0, 1])  # the scores stay inside
    assert (both.kind, both.name, both.macs, both.bytes_moved) == ("FULLY_CONNECTED", "t4", 24, 4 * (8 + 24 + 3 + 3))
    assert four.of([0]).macs == 4 * 24
    assert four.of([0]).bytes_moved == 4 * (4 * 8 + 24 + 3 + 4 * 3)
    with pytest.raises(ValueError, match="no operators"):
        one.of([2])


def test_work_is_unknown_if_other_axes_are_open(tmp_path: Path) -> None:
    made = TfliteBuilder()
    taken = made.tensor(1, 1, 8, open_shape=(1, -1, 8))
    weights = made.tensor(8, 8, data=True)
    from ai_edge_litert import schema_py_generated as schema

    scores = made.operator(
        "FULLY_CONNECTED", [taken, weights, -1], [made.tensor(1, 1, 8)], schema.FullyConnectedOptionsT()
    )
    work = tflite_work(made.save(tmp_path / "m.tflite", [taken], [scores]), 1).of([0])
    assert (work.macs, work.bytes_moved) == (None, None)


def test_work_of_onnx_nodes_follows_from_the_shapes_of_an_invocation(tmp_path: Path) -> None:
    made = OnnxBuilder()
    made.add("Conv", ["x", made.constant("w", np.zeros((4, 3, 3, 3), np.float32))], "c", pads=[1, 1, 1, 1])
    made.add("Relu", ["c"], "r")
    made.add("GlobalAveragePool", ["r"], "y")
    path = made.save(tmp_path / "m.onnx", ["N", 3, 8, 8], ["N", 4, 1, 1])
    shapes = {"x": [2, 3, 8, 8], "c": [2, 4, 8, 8], "r": [2, 4, 8, 8], "y": [2, 4, 1, 1]}
    tensors = {name: StatedTensor("float32", shape) for name, shape in shapes.items()}
    work = onnx_work(path, tensors).of([0, 1])
    assert (work.kind, work.name, work.precision) == ("Conv", "r", "float32")
    assert work.macs == 2 * 4 * 64 * 27
    assert work.bytes_moved == 4 * (2 * 3 * 64 + 4 * 27 + 2 * 4 * 64)
    unknown = onnx_work(path, {}).of([0])
    assert (unknown.macs, unknown.bytes_moved) == (None, None)
