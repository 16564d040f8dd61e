"""Models with any number of inputs and outputs: their names, types and shapes, and named functions of their files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.names import recordable
from edge_bench.bench.model_formats.tflite import Tensor, TfliteFile
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.tensors import NUMBER_TYPES
from edge_bench.bench.runtimes import Runtime
from edge_bench.bench.runtimes.graphs.tflite_names import named_sides
from edge_bench.bench.runtimes.tensorflow.keras_model import LEGACY_SUFFIXES
from edge_bench.bench.worker.graphs.messages import GraphDescribed, Signature
from edge_bench.bench.worker.process import WorkerFailed, describe_graph

__all__ = ["CONVERT_LEGACY", "GraphSettings", "checked_graph", "graph_in_worker", "graph_of_tflite"]

CONVERT_LEGACY = (
    "save it as .keras with the version of Keras that wrote it: "
    "keras.models.load_model('model.h5', compile=False).save('model.keras')"
)
_MOST_SHOWN = 10


class GraphSettings(NamedTuple):
    """The user's settings for the functions and sizes of all models."""

    signature: str = ""  # the named function; empty: the main one
    shapes: Mapping[str, tuple[int, ...]] = {}  # of whole inputs with open axes, by name


def graph_of_tflite(file: TfliteFile, signature: str) -> GraphDescribed | None:
    """Return inputs and outputs of a .tflite file, in the file's order, open axes as -1.

    Names are those of ``signature``. Without one, they are those of the file's only signature if it has all inputs,
    otherwise the names of the tensors. The same applies to outputs. Raise BadInput if there is no such signature.
    Return None if the signature belongs to another graph than the main one, because only a runtime knows its order.
    """
    signatures = [
        Signature(name=each.key, inputs=[name for name, _ in each.inputs], outputs=[name for name, _ in each.outputs])
        for each in file.signatures
    ]
    stated = next((each for each in file.signatures if each.key == signature), None) if signature else None
    if signature and stated is None:
        raise _unknown_signature(signature, [each.name for each in signatures])
    if stated is not None and stated.graph != 0:
        return None
    inputs, outputs = named_sides(file, stated)
    shapes = [_shape(tensor) for _, tensor in inputs]
    results = [_shape(tensor) for _, tensor in outputs]
    is_open = all(shape[:1] == [-1] for shape in shapes) and all(shape[:1] in ([-1], []) for shape in results)
    return GraphDescribed(
        inputs=[_spec(*each) for each in inputs],
        outputs=[_spec(*each) for each in outputs],
        has_batch_axis=[_has_batch_axis(shape) for shape in shapes],
        fixed_batch=None if is_open else 1,
        signatures=signatures,
    )


def graph_in_worker(
    path: Path, runtime: Runtime, settings: GraphSettings, timeout: float, memory_limit: int | None
) -> GraphDescribed:
    """Return inputs and outputs of a model by loading it in a worker; raise BadInput if it cannot be loaded."""
    try:
        return describe_graph(runtime.name, path, timeout, settings.signature, settings.shapes, memory_limit)
    except WorkerFailed as cause:
        remedy = CONVERT_LEGACY if path.suffix in LEGACY_SUFFIXES else ""
        raise BadInput(f"{path}: {cause.failure.message}", cause.failure.remedy or remedy) from None


def checked_graph(path: Path, found: GraphDescribed) -> GraphDescribed:
    """Return the description; raise BadInput for types that are not numbers, or if there are no inputs or outputs."""
    for kind, specs in (("input", found.inputs), ("output", found.outputs)):
        if not specs:
            raise BadInput(f"{path}: the model has no {kind}s", "use a model with inputs and outputs")
        for spec in specs:
            if spec.dtype not in NUMBER_TYPES:
                raise BadInput(
                    f"{path}: {kind} {spec.name[:80]} is of type {spec.dtype[:40]}, but only numbers are supported",
                    "use a model without the operators that read or write text",
                )
        names = [spec.name for spec in specs]
        if len(set(names)) < len(names):
            raise BadInput(f"{path}: two {kind}s have the same name", f"give each {kind} of the model its own name")
    return found


def _unknown_signature(signature: str, known: Sequence[str]) -> BadInput:
    shown = ", ".join(name[:80] for name in known[:_MOST_SHOWN])
    more = f" and {len(known) - _MOST_SHOWN:,} more" if len(known) > _MOST_SHOWN else ""
    return BadInput(
        f"--signature {signature[:80]}: the model has no signature of this name",
        f"choose from {shown}{more}" if known else "the model has no signatures: omit --signature",
    )


def _shape(tensor: Tensor) -> list[int]:
    return list(tensor.signature or tensor.shape)


def _spec(name: str, tensor: Tensor) -> TensorSpec:
    return msgspec.structs.replace(tensor.spec, name=recordable(name), shape=_shape(tensor))


def _has_batch_axis(shape: Sequence[int]) -> bool:
    """Return whether the first axis is the examples: it is open, or 1 beside others."""
    return bool(shape) and (shape[0] == -1 or (shape[0] == 1 and len(shape) > 1))
