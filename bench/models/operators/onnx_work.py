"""Work of the nodes of an .onnx model, from the shapes that a runtime reports for an invocation."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats.operators.onnx_nodes import OnnxNode, read_onnx_nodes
from edge_bench.bench.models.operators.work import ModelWork, NodeWork
from edge_bench.bench.runtimes.profiling.base import StatedTensor

__all__ = ["onnx_work"]

Shapes = Mapping[str, list[int]]

#: Kinds that may multiply weights, and how their multiply-accumulates are counted; None if they are not.
#: Positions of tensors: onnx/docs/Operators.md. As in ``multiply_accumulates.py``, all other kinds have none.
_BYTES = {"float": 4, "float32": 4, "float16": 2, "bfloat16": 2, "double": 8, "float64": 8, "int64": 8, "uint64": 8,
          "int32": 4, "uint32": 4, "int16": 2, "uint16": 2, "int8": 1, "uint8": 1, "bool": 1}  # fmt: skip
_NAMES = {"float": "float32", "double": "float64"}


def onnx_work(path: Path, tensors: Mapping[str, StatedTensor]) -> ModelWork:
    """Return the nodes of the main graph; raise BadInput if the file is not valid."""
    try:
        file = read_onnx_nodes(path)
    except (OSError, ValueError) as cause:
        raise BadInput(f"{path}: invalid or truncated .onnx file: {cause}", "copy or export it again") from None
    stated = {name: StatedTensor(kind, list(sizes)) for name, (kind, sizes) in file.constants.items()}
    tensors = stated | dict(tensors)
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    nodes = [
        NodeWork(
            kind=node.kind,
            name=next((name for name in node.outputs if name), ""),
            macs=(macs := _macs(node, shapes)),
            inputs=tuple(name for name in node.inputs if name),
            outputs=tuple(name for name in node.outputs if name),
            precision=_precision(node, tensors) if macs != 0 else "",
        )
        for node in file.nodes
    ]
    return ModelWork(nodes, {name: _size(tensor) for name, tensor in tensors.items()})


def _size(tensor: StatedTensor) -> int | None:
    item = _BYTES.get(tensor.dtype)
    return None if item is None or min(tensor.shape, default=0) < 0 else item * math.prod(tensor.shape)


def _precision(node: OnnxNode, tensors: Mapping[str, StatedTensor]) -> str:
    first = tensors.get(node.inputs[0]) if node.inputs else None
    return "" if first is None else _NAMES.get(first.dtype, first.dtype)


def _macs(node: OnnxNode, shapes: Shapes) -> int | None:
    if node.kind not in _COUNTS:
        return 0
    count = _COUNTS[node.kind]
    try:
        return None if count is None else count(node, shapes)
    except (KeyError, IndexError):  # a shape is unknown
        return None


def _convolution(position: int) -> Callable[[OnnxNode, Shapes], int]:
    """Output values × weights of an output channel; weights [out, in / groups, …]."""

    def count(node: OnnxNode, shapes: Shapes) -> int:
        return math.prod(shapes[node.outputs[0]]) * math.prod(shapes[node.inputs[position]][1:])

    return count


def _transposed_convolution(node: OnnxNode, shapes: Shapes) -> int:
    """Input values × weights of an input channel; weights [in, out / groups, …]."""
    return math.prod(shapes[node.inputs[0]]) * math.prod(shapes[node.inputs[1]][1:])


def _product(node: OnnxNode, shapes: Shapes) -> int:
    """Output values × the axis over which is summed: the last of the first matrix."""
    return math.prod(shapes[node.outputs[0]]) * shapes[node.inputs[0]][-1]


def _gemm(node: OnnxNode, shapes: Shapes) -> int:
    return math.prod(shapes[node.outputs[0]]) * shapes[node.inputs[0]][-2 if node.integers.get("transA") else -1]


def _recurrent(node: OnnxNode, shapes: Shapes) -> int:
    """Steps × batch × weights of input and state; input [steps, batch, features]."""
    steps, batch = shapes[node.inputs[0]][:2]
    return steps * batch * (math.prod(shapes[node.inputs[1]]) + math.prod(shapes[node.inputs[2]]))


_COUNTS: dict[str, Callable[[OnnxNode, Shapes], int] | None] = {
    "Conv": _convolution(1),
    "ConvInteger": _convolution(1),
    "QLinearConv": _convolution(3),
    "ConvTranspose": _transposed_convolution,
    "MatMul": _product,
    "MatMulInteger": _product,
    "QLinearMatMul": _product,
    "Gemm": _gemm,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "RNN": _recurrent,
    # bodies of conditions and loops, and kinds that multiply in ways that are not counted
    **dict.fromkeys(("If", "Loop", "Scan", "Einsum", "Attention", "DeformConv", "DFT", "STFT"), None),
}  # fmt: skip
