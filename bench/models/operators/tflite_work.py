"""Work of the operators of a .tflite file's main graph."""

from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats.operators.tflite_names import tensor_names
from edge_bench.bench.model_formats.tflite import Tensor, TfliteFile, item_bits, read_tflite
from edge_bench.bench.model_formats.tflite_operators import Node
from edge_bench.bench.models.multiply_accumulates import multiply_accumulates
from edge_bench.bench.models.operators.work import ModelWork, NodeWork

__all__ = ["tflite_work"]

#: Types without a known size per value.
_UNSIZED = {"string", "resource", "variant"}
_WEIGHTS = {"int8", "uint8", "int4", "int2", "int16"}


def tflite_work(path: Path, batch_size: int) -> ModelWork:
    """Return the operators for invocations of ``batch_size`` examples; raise BadInput if the file is not valid.

    Multiply-accumulates and activations are unknown if an input has open axes besides the batch.
    """
    file = read_tflite(path)
    try:
        names, factor = tensor_names(path), _factor(file, batch_size)
        nodes = [_node(file, node, names, factor) for node in file.nodes[: file.main_nodes]]
    except (OSError, ValueError) as cause:
        raise BadInput(f"{path}: invalid or truncated .tflite file: {cause}", "copy or export it again") from None
    return ModelWork(nodes, {str(number): _size(tensor, factor) for number, tensor in enumerate(file.tensors)})


def _factor(file: TfliteFile, batch_size: int) -> int | None:
    """Return how many times larger a batch is than stated in the file; None if other axes are open, too."""
    factors = set()
    for tensor in file.inputs:
        sizes = tensor.signature or tensor.shape
        if -1 in sizes[1:] or (len(sizes) == 1 and sizes[0] == -1):
            return None
        if sizes[:1] == (-1,):
            factors.add(batch_size // max(1, tensor.shape[0]))
    return factors.pop() if len(factors) == 1 else (None if factors else 1)


def _size(tensor: Tensor, factor: int | None) -> int | None:
    if tensor.constant_bytes:
        return tensor.constant_bytes
    if factor is None or tensor.dtype.lower() in _UNSIZED:
        return None
    return tensor.elements * factor * item_bits(tensor.dtype) // 8


def _node(file: TfliteFile, node: Node, names: list[str], factor: int | None) -> NodeWork:
    inputs, outputs = (
        [file.tensors[index] if 0 <= index < len(file.tensors) else None for index in indices]
        for indices in (node.inputs, node.outputs)
    )
    macs = multiply_accumulates(inputs, outputs, node)
    if macs:
        macs = None if factor is None else macs * factor
    last = next((index for index in reversed(node.outputs) if 0 <= index < len(names)), None)
    return NodeWork(
        kind=node.name,
        name="" if last is None else names[last],
        macs=macs,
        inputs=tuple(str(index) for index in node.inputs if index >= 0),
        outputs=tuple(str(index) for index in node.outputs if index >= 0),
        precision=_precision(inputs) if macs != 0 else "",
    )


def _precision(inputs: list[Tensor | None]) -> str:
    """Return the type of the weights if they are integers, as values are then quantized too, else that of the input."""
    types = [tensor.dtype for tensor in inputs if tensor is not None]
    weights = next(
        (tensor.dtype for tensor in inputs if tensor and tensor.constant_bytes and tensor.dtype in _WEIGHTS), ""
    )
    return weights or (types[0] if types else "")
