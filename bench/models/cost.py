"""Cost of a model from its file: multiply-accumulates, parameters and bytes per operator."""

from collections.abc import Callable
from dataclasses import dataclass

from edge_bench.bench.model_formats.tflite import Node, Tensor, TfliteFile, item_bits

__all__ = ["ModelCost", "OperatorCost", "model_cost"]

#: Types of trained parameters. Other integers are shapes, paddings and axes, except for biases (int32 or int64).
_PARAMETER_TYPES = {"float32", "float16", "bfloat16", "float64", "int8", "uint8", "int4", "int2", "int16"}


@dataclass(frozen=True)
class OperatorCost:
    """Cost of all operators of one name and version."""

    name: str
    version: int
    count: int
    macs: int  # multiply-accumulates per invocation at the batch size in the file
    parameters: int
    constant_bytes: int


@dataclass(frozen=True)
class ModelCost:
    """Cost of a model."""

    macs: int
    parameters: int
    constant_bytes: int
    largest_activations: int  # maximum over operators of the bytes of all inputs and outputs together
    operators: tuple[OperatorCost, ...]
    uncounted: tuple[str, ...]  # names of operators in other graphs (conditions, loops), which are not counted


def model_cost(file: TfliteFile) -> ModelCost:
    """Return the cost of the main graph.

    A multiply-accumulate is counted for every weight at every position to which a convolution or dense layer applies
    it, as in the papers of MobileNet (Howard et al. 2017) and ResNet (He et al. 2016). Additions, poolings and
    activations are not counted. Open axes count as one. Raise ValueError for a damaged file with wrong tensors.
    """
    nodes = file.nodes[: file.main_nodes]
    buffer_owners: dict[int, int] = {}  # buffer → first node that uses it, so that a shared constant is counted once
    totals: dict[tuple[str, int], list[int]] = {}
    largest = 0
    for number, node in enumerate(nodes):
        inputs, outputs = _tensors(file, node.inputs), _tensors(file, node.outputs)
        total = totals.setdefault((node.name, node.version), [0, 0, 0, 0])
        total[0] += 1
        total[1] += _macs(inputs, outputs, node)
        for position, tensor in enumerate(inputs):
            if tensor.constant_bytes and buffer_owners.setdefault(tensor.buffer, number) == number:
                total[2] += tensor.elements if _is_parameter(tensor, position) else 0
                total[3] += tensor.constant_bytes
        activations = [tensor for tensor in (*inputs, *outputs) if not tensor.constant_bytes]
        largest = max(largest, sum(tensor.elements * item_bits(tensor.dtype) // 8 for tensor in activations))
    costs = tuple(OperatorCost(name, version, *total) for (name, version), total in sorted(totals.items()))
    return ModelCost(
        macs=sum(cost.macs for cost in costs),
        parameters=sum(cost.parameters for cost in costs),
        constant_bytes=sum(cost.constant_bytes for cost in costs),
        largest_activations=largest,
        operators=costs,
        uncounted=tuple(sorted({node.name for node in file.nodes[file.main_nodes :]})),
    )


def _tensors(file: TfliteFile, indices: tuple[int, ...]) -> list[Tensor]:
    return [file.tensors[index] for index in indices if 0 <= index < len(file.tensors)]


def _is_parameter(tensor: Tensor, position: int) -> bool:
    bias = tensor.dtype in ("int32", "int64") and position > 1 and (tensor.scale != 0 or tensor.per_channel)
    return tensor.dtype in _PARAMETER_TYPES or bias


def _macs(inputs: list[Tensor], outputs: list[Tensor], node: Node) -> int:
    try:
        return _MACS[node.name](inputs, outputs, node) if node.name in _MACS else 0
    except IndexError:
        raise ValueError(f"the tensors of {node.name} do not fit it") from None


Macs = Callable[[list[Tensor], list[Tensor], Node], int]


def _convolution(inputs: list[Tensor], outputs: list[Tensor], node: Node) -> int:  # noqa: ARG001
    weights = inputs[1].shape  # [out channels, height, width, in channels of a group]
    return outputs[0].elements * weights[1] * weights[2] * weights[3]


def _depthwise(inputs: list[Tensor], outputs: list[Tensor], node: Node) -> int:  # noqa: ARG001
    weights = inputs[1].shape  # [1, height, width, channels]
    return outputs[0].elements * weights[1] * weights[2]


def _transposed_convolution(inputs: list[Tensor], outputs: list[Tensor], node: Node) -> int:  # noqa: ARG001
    weights, source = inputs[1].shape, inputs[2]  # output shape, weights, input
    return source.elements * weights[0] * weights[1] * weights[2]


def _dense(inputs: list[Tensor], outputs: list[Tensor], node: Node) -> int:  # noqa: ARG001
    return outputs[0].elements * inputs[1].shape[-1]


def _matrix_product(inputs: list[Tensor], outputs: list[Tensor], node: Node) -> int:
    inner = inputs[0].shape[-2 if node.adjoint else -1]
    return outputs[0].elements * inner


_MACS: dict[str, Macs] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed_convolution,
    "FULLY_CONNECTED": _dense,
    "BATCH_MATMUL": _matrix_product,
}
