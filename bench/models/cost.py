"""Cost of a model from its file: multiply-accumulates, parameters and bytes per operator."""

from dataclasses import dataclass

from edge_bench.bench.model_formats.tflite import Tensor, TfliteFile, item_bits
from edge_bench.bench.models.multiply_accumulates import multiplies, multiply_accumulates

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
    counted: bool  # False if the multiply-accumulates of this operator are unknown


@dataclass(frozen=True)
class ModelCost:
    """Cost of a model."""

    macs: int  # a lower limit unless ``is_complete``
    parameters: int
    constant_bytes: int
    largest_activations: int  # maximum over operators of the bytes of all inputs and outputs together
    operators: tuple[OperatorCost, ...]
    uncounted: tuple[str, ...]  # operators of the main graph that may multiply and are not counted
    uncounted_elsewhere: tuple[str, ...]  # the same in other graphs: bodies of conditions and loops, other functions

    @property
    def is_complete(self) -> bool:
        """Whether every operator that may multiply is counted."""
        return not self.uncounted and not self.uncounted_elsewhere


def model_cost(file: TfliteFile) -> ModelCost:
    """Return the cost of the main graph. See ``multiply_accumulates`` for what is counted.

    Open axes count as one. Raise ValueError for a damaged file with wrong tensors.
    """
    nodes = file.nodes[: file.main_nodes]
    buffer_owners: dict[int, int] = {}  # buffer → first node that uses it, so that a shared constant is counted once
    totals: dict[tuple[str, int], list[int]] = {}
    uncounted, largest = set[str](), 0
    for number, node in enumerate(nodes):
        inputs, outputs = _tensors(file, node.inputs), _tensors(file, node.outputs)
        operations = multiply_accumulates(inputs, outputs, node)
        if operations is None:
            uncounted.add(node.name)
        total = totals.setdefault((node.name, node.version), [0, 0, 0, 0])
        total[0] += 1
        total[1] += operations or 0
        for position, tensor in enumerate(inputs):
            if tensor and tensor.constant_bytes and buffer_owners.setdefault(tensor.buffer, number) == number:
                total[2] += tensor.elements if _is_parameter(tensor, position) else 0
                total[3] += tensor.constant_bytes
        activations = [tensor for tensor in (*inputs, *outputs) if tensor and not tensor.constant_bytes]
        largest = max(largest, sum(tensor.elements * item_bits(tensor.dtype) // 8 for tensor in activations))
    costs = tuple(
        OperatorCost(name, version, count, macs, parameters, constant_bytes, name not in uncounted)
        for (name, version), (count, macs, parameters, constant_bytes) in sorted(totals.items())
    )
    return ModelCost(
        macs=sum(cost.macs for cost in costs),
        parameters=sum(cost.parameters for cost in costs),
        constant_bytes=sum(cost.constant_bytes for cost in costs),
        largest_activations=largest,
        operators=costs,
        uncounted=tuple(sorted(uncounted)),
        uncounted_elsewhere=_multiplying_elsewhere(file),
    )


def _tensors(file: TfliteFile, indices: tuple[int, ...]) -> list[Tensor | None]:
    return [file.tensors[index] if 0 <= index < len(file.tensors) else None for index in indices]


def _multiplying_elsewhere(file: TfliteFile) -> tuple[str, ...]:
    """Return the operators in other graphs that may multiply. How often a graph runs is not in the file."""
    return tuple(sorted({node.name for node in file.nodes[file.main_nodes :] if multiplies(node.name)}))


def _is_parameter(tensor: Tensor, position: int) -> bool:
    bias = tensor.dtype in ("int32", "int64") and position > 1 and (tensor.scale != 0 or tensor.per_channel)
    return tensor.dtype in _PARAMETER_TYPES or bias
