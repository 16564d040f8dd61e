"""From what a runtime executed to the nodes of the model file."""

from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.model_formats.operators.onnx_nodes import (
    OnnxNode,
    OnnxNodes,
    named_copy,
    node_name,
    read_onnx_nodes,
)
from edge_bench.bench.runtimes.profiling import why_no_profiler
from edge_bench.bench.runtimes.profiling.litert.xnnpack import align
from edge_bench.bench.runtimes.profiling.onnx_runtime import nodes_behind
from tests.made.onnx import OnnxBuilder

CONV, CLAMP, ADD = "Convolution (NHWC, F32) IGEMM", "Clamp (NC)", "Add (ND)"
DENSE, RESHAPE, CONVERT = "Fully Connected (NC, F32) GEMM", "Static Reshape (NC)", "Convert (NC, F32, QDU8)"


@pytest.mark.parametrize(
    ("operators", "kinds", "expected"),
    [
        pytest.param([CONV, CONV], ["CONV_2D", "DEPTHWISE_CONV_2D"], [[0], [1]], id="one by one"),
        pytest.param([CONV, ADD, CLAMP], ["CONV_2D", "ADD"], [[0], [1], [1]], id="activation of an addition"),
        pytest.param([CONV, DENSE], ["CONV_2D", "RELU", "RESHAPE", "FULLY_CONNECTED"], [[0, 1, 2], [3]], id="fused"),
        pytest.param([CONVERT, CONV, CONVERT, DENSE], ["CONV_2D", "FULLY_CONNECTED"], [[0], [0], [1], [1]],
                     id="dynamic quantization"),
        pytest.param([RESHAPE, RESHAPE, DENSE], ["RESHAPE", "FULLY_CONNECTED"], [[0], [1], [1]], id="added reshape"),
        pytest.param([ADD], ["MUL", "ADD"], [[0, 1]], id="first one dropped"),
        pytest.param([ADD], ["CONV_2D", "ADD"], None, id="convolution without an operator"),
        pytest.param([CONV, "Mystery (NC)"], ["CONV_2D"], None, id="unknown operator"),
        pytest.param([], ["CONV_2D"], None, id="nothing executed"),
    ],
)  # fmt: skip
def test_operators_of_xnnpack_are_aligned_with_those_of_the_model(
    operators: list[str], kinds: list[str], expected: list[list[int]] | None
) -> None:
    assert align(operators, kinds) == expected


def node(kind: str, inputs: str, outputs: str, name: str = "") -> OnnxNode:
    return OnnxNode(name, kind, tuple(inputs.split()), tuple(outputs.split()), {})


def test_nodes_of_an_optimized_onnx_graph_are_traced_back_by_their_tensors() -> None:
    file = OnnxNodes([node("Conv", "x w", "c"), node("Relu", "c", "r"), node("MaxPool", "r", "p"),
                      node("Add", "p b", "a"), node("Relu", "a", "y")], {})  # fmt: skip
    blocked = OnnxNodes([node("Conv", "x w2", "t0", "r_nchwc"), node("MaxPool", "t0", "t1", "p_nchwc"),
                         node("ReorderOutput", "t1", "p"), node("FusedAdd", "p b", "y")], {})  # fmt: skip
    assert nodes_behind(blocked, file) == [[0, 1], [2], [], [3, 4]]
    assert nodes_behind(file, file) == [[0], [1], [2], [3], [4]]


def test_a_copy_of_an_onnx_model_has_a_unique_name_for_each_node(tmp_path: Path) -> None:
    import onnx

    made = OnnxBuilder()
    weights = made.constant("w", np.zeros((2, 3), np.float32))
    made.add("MatMul", ["x", weights], "a")
    made.add("Relu", ["a"], "y", name="own")
    path = made.save(tmp_path / "m.onnx", ["N", 2], ["N", 3])
    copied = onnx.load_from_string(named_copy(path.read_bytes()))
    onnx.checker.check_model(copied)
    assert [each.name for each in copied.graph.node] == [node_name(0), node_name(1)]
    assert [each.op_type for each in copied.graph.node] == ["MatMul", "Relu"]
    read = read_onnx_nodes(path)
    assert [(each.kind, each.inputs, each.outputs) for each in read.nodes] == [
        ("MatMul", ("x", "w"), ("a",)), ("Relu", ("a",), ("y",)),
    ]  # fmt: skip
    assert read.constants == {"w": ("float32", (2, 3))}


@pytest.mark.parametrize(
    ("runtime", "version", "has_one"),
    [
        ("litert", "2.1.6", True), ("litert", "2.1.5", False), ("litert", "1.4.0", False), ("litert", "odd", False),
        ("litert", "10.0.0", True), ("onnxruntime", "1.20.0", True), ("openvino", "2025.1.0", True),
        ("ncnn", "1.0", False), ("tflite-runtime", "2.14.0", False), ("tensorflow", "2.20.0", False),
    ],
)  # fmt: skip
def test_runtimes_without_a_profiler_name_what_to_use(runtime: str, version: str, *, has_one: bool) -> None:
    why = why_no_profiler(runtime, version)
    assert (why is None) == has_one
    assert why is None or all(why)
