"""What a model costs, from its file alone: multiply-accumulates, parameters and bytes, operator by operator."""

from collections.abc import Callable
from dataclasses import dataclass

from edge_bench.bench.formats.tflite import Node, Tensor, TfliteFile, item_bits

__all__ = ["ModelCost", "OperatorCost", "model_cost"]

#: Types of numbers that are learned; integers beside these are shapes, paddings and axes, but for biases (int32).
_WEIGHTS = {"float32", "float16", "bfloat16", "float64", "int8", "uint8", "int4", "int2", "int16"}


@dataclass(frozen=True)
class OperatorCost:
    """All operators of one name and version."""

    name: str
    version: int
    count: int
    macs: int  # multiply-accumulates of one invocation at the file's own batch size
    parameters: int
    constant_bytes: int


@dataclass(frozen=True)
class ModelCost:
    """The whole model."""

    macs: int
    parameters: int
    constant_bytes: int
    largest_activations: int  # bytes of the largest input and output of one operator together
    operators: tuple[OperatorCost, ...]
    uncounted: tuple[str, ...]  # operators in other graphs (of conditions, loops), whose work is not counted


def model_cost(file: TfliteFile) -> ModelCost:
    """Counts the main graph's work.

    A multiply-accumulate is counted for every weight at every place where a convolution or a dense layer applies it, as
    the papers of MobileNet (Howard et al. 2017) and ResNet (He et al. 2016) count; additions, poolings and activations
    are not. Open axes count as one. ValueError where an operator's tensors are not what it takes: a damaged file.
    """
    nodes = file.nodes[: file.main_nodes]
    owners: dict[int, int] = {}  # buffer → node: a constant shared by several is counted once
    rows: dict[tuple[str, int], list[int]] = {}
    largest = 0
    for number, node in enumerate(nodes):
        taken, given = _tensors(file, node.inputs), _tensors(file, node.outputs)
        row = rows.setdefault((node.name, node.version), [0, 0, 0, 0])
        row[0] += 1
        row[1] += _macs(taken, given, node)
        for place, tensor in enumerate(taken):
            if tensor.constant_bytes and owners.setdefault(tensor.buffer, number) == number:
                row[2] += tensor.elements if _is_learned(tensor, place) else 0
                row[3] += tensor.constant_bytes
        activations = [tensor for tensor in (*taken, *given) if not tensor.constant_bytes]
        largest = max(largest, sum(tensor.elements * item_bits(tensor.dtype) // 8 for tensor in activations))
    costs = tuple(OperatorCost(name, version, *row) for (name, version), row in sorted(rows.items()))
    return ModelCost(
        macs=sum(cost.macs for cost in costs),
        parameters=sum(cost.parameters for cost in costs),
        constant_bytes=sum(cost.constant_bytes for cost in costs),
        largest_activations=largest,
        operators=costs,
        uncounted=tuple(sorted({node.name for node in file.nodes[file.main_nodes :]})),
    )


def _tensors(file: TfliteFile, places: tuple[int, ...]) -> list[Tensor]:
    return [file.tensors[place] for place in places if 0 <= place < len(file.tensors)]


def _is_learned(tensor: Tensor, place: int) -> bool:
    bias = tensor.dtype in ("int32", "int64") and place > 1 and (tensor.scale != 0 or tensor.per_channel)
    return tensor.dtype in _WEIGHTS or bias


def _macs(taken: list[Tensor], given: list[Tensor], node: Node) -> int:
    try:
        return _MACS[node.name](taken, given, node) if node.name in _MACS else 0
    except IndexError:
        raise ValueError(f"the tensors of {node.name} do not fit it") from None


Macs = Callable[[list[Tensor], list[Tensor], Node], int]


def _convolution(taken: list[Tensor], given: list[Tensor], node: Node) -> int:  # noqa: ARG001
    weights = taken[1].shape  # [out channels, height, width, in channels of a group]
    return given[0].elements * weights[1] * weights[2] * weights[3]


def _depthwise(taken: list[Tensor], given: list[Tensor], node: Node) -> int:  # noqa: ARG001
    weights = taken[1].shape  # [1, height, width, channels]
    return given[0].elements * weights[1] * weights[2]


def _transposed(taken: list[Tensor], given: list[Tensor], node: Node) -> int:  # noqa: ARG001
    weights, source = taken[1].shape, taken[2]  # output shape, weights, input
    return source.elements * weights[0] * weights[1] * weights[2]


def _dense(taken: list[Tensor], given: list[Tensor], node: Node) -> int:  # noqa: ARG001
    return given[0].elements * taken[1].shape[-1]


def _matrices(taken: list[Tensor], given: list[Tensor], node: Node) -> int:
    inner = taken[0].shape[-2 if node.adjoint else -1]
    return given[0].elements * inner


_MACS: dict[str, Macs] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed,
    "FULLY_CONNECTED": _dense,
    "BATCH_MATMUL": _matrices,
}
