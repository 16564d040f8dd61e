"""The names of a .tflite file's inputs and outputs, from the file alone."""

from collections.abc import Sequence

from edge_bench.bench.model_formats.tflite import Signature, Tensor, TfliteFile
from edge_bench.bench.runtimes.graphs.layout import unique_names

__all__ = ["Named", "named_sides"]

Named = tuple[tuple[str, Tensor], ...]


def named_sides(file: TfliteFile, stated: Signature | None) -> tuple[Named, Named]:
    """Return the inputs and the outputs of the invoked function of the main graph, in the graph's order.

    Names are those of ``stated``. Without it, they are those of the file's only signature if it has all inputs,
    otherwise the names of the tensors. The same applies to outputs.
    """
    tensors = _unique(file.inputs, "input"), _unique(file.outputs, "output")
    only = file.signatures[0] if len(file.signatures) == 1 and file.signatures[0].graph == 0 else None
    chosen = stated or only
    if chosen is None:
        return tensors
    inputs, outputs = _in_order(chosen.inputs, file.inputs), _in_order(chosen.outputs, file.outputs)
    if stated is not None:
        return inputs, outputs
    if len(inputs) != len(file.inputs):
        return tensors
    return inputs, outputs if len(outputs) == len(file.outputs) else tensors[1]


def _in_order(named: Named, tensors: Sequence[Tensor]) -> Named:
    """Return a side of a signature in the order of the main graph."""
    order = {tensor.name: number for number, tensor in reversed(list(enumerate(tensors)))}
    return tuple(sorted(named, key=lambda each: order.get(each[1].name, len(order))))


def _unique(tensors: Sequence[Tensor], kind: str) -> Named:
    return tuple(zip(unique_names([tensor.name for tensor in tensors], kind), tensors, strict=True))
