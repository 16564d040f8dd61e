"""Models with any number of inputs and outputs: their names, types and shapes, and named functions of their files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.names import recordable
from edge_bench.bench.model_formats.tflite import Signature as FileSignature
from edge_bench.bench.model_formats.tflite import Tensor, TfliteFile
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.tensors import NUMBER_TYPES
from edge_bench.bench.runtimes import Runtime
from edge_bench.bench.runtimes.keras_model import LEGACY_SUFFIXES
from edge_bench.bench.worker.graphs.client import describe_graph
from edge_bench.bench.worker.graphs.messages import GraphDescribed, Signature
from edge_bench.bench.worker.process import WorkerFailed

__all__ = ["CONVERT_LEGACY", "GraphSettings", "checked_graph", "graph_in_worker", "graph_of_tflite"]

CONVERT_LEGACY = (
    "save it as .keras with the version of Keras that wrote it: "
    "keras.models.load_model('model.h5', compile=False).save('model.keras')"
)
_MOST_SHOWN = 10


class GraphSettings(NamedTuple):
    """What a user states about the functions and sizes of all models."""

    signature: str = ""  # the named function; empty: the main one
    shapes: Mapping[str, tuple[int, ...]] = {}  # of whole inputs with open axes, by name


def graph_of_tflite(file: TfliteFile, signature: str) -> GraphDescribed:
    """Return inputs and outputs of a .tflite file, in the file's order, open axes as -1.

    Names are those of ``signature``. Without one, they are those of the file's only signature, if it has all inputs and
    outputs, or else the names of the tensors. Raise BadInput if there is no such signature.
    """
    signatures = [
        Signature(name=each.key, inputs=[name for name, _ in each.inputs], outputs=[name for name, _ in each.outputs])
        for each in file.signatures
    ]
    if signature:
        chosen = next((each for each in file.signatures if each.key == signature), None)
        if chosen is None:
            raise _unknown_signature(signature, [each.name for each in signatures])
        inputs, outputs = chosen.inputs, chosen.outputs
    else:
        inputs, outputs = _named(file, file.inputs, 0), _named(file, file.outputs, 1)
    tensors = [tensor for _, tensor in inputs]
    return GraphDescribed(
        inputs=[_spec(*each) for each in inputs],
        outputs=[_spec(*each) for each in outputs],
        has_batch_axis=[_has_batch_axis(tensor) for tensor in tensors],
        fixed_batch=None if all(_shape(tensor)[:1] == [-1] for tensor in tensors) else 1,
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
    """Return the description; raise BadInput for strings and other types that are no numbers, or if a side is empty."""
    for kind, specs in (("input", found.inputs), ("output", found.outputs)):
        if not specs:
            raise BadInput(f"{path}: the model has no {kind}s", "use a model with inputs and outputs")
        for spec in specs:
            if spec.dtype not in NUMBER_TYPES:
                raise BadInput(
                    f"{path}: {kind} {spec.name[:80]} is of type {spec.dtype[:40]}, and only numbers are supported",
                    "use a model without the operators that read or write text",
                )
        names = [spec.name for spec in specs]
        if len(set(names)) < len(names):
            raise BadInput(f"{path}: two {kind}s have the same name", f"name the {kind}s of the model differently")
    return found


def _unknown_signature(signature: str, known: Sequence[str]) -> BadInput:
    shown = ", ".join(name[:80] for name in known[:_MOST_SHOWN])
    more = f" and {len(known) - _MOST_SHOWN:,} more" if len(known) > _MOST_SHOWN else ""
    return BadInput(
        f"--signature {signature[:80]}: the model has no signature of this name",
        f"there are: {shown}{more}" if known else "it has none: leave --signature out",
    )


def _named(file: TfliteFile, tensors: Sequence[Tensor], side: int) -> tuple[tuple[str, Tensor], ...]:
    """Return names and tensors of the main graph's inputs (side 0) or outputs (side 1)."""
    names = _names_of_only_signature(file)
    if names is not None:
        return tuple((names[side][tensor.name], tensor) for tensor in tensors)
    own = [tensor.name for tensor in tensors]
    if "" in own or len(set(own)) < len(own):
        kind = ("input", "output")[side]
        own = [f"{kind} {number}" for number in range(len(own))]
    return tuple(zip(own, tensors, strict=True))


def _names_of_only_signature(file: TfliteFile) -> tuple[dict[str, str], dict[str, str]] | None:
    """Return the signature's names of inputs and of outputs by the tensor's; None if it does not have all of them."""
    if len(file.signatures) != 1 or file.signatures[0].graph != 0:
        return None
    only: FileSignature = file.signatures[0]
    found = []
    for tensors, named in ((file.inputs, only.inputs), (file.outputs, only.outputs)):
        names = {tensor.name: name for name, tensor in named}
        own = [tensor.name for tensor in tensors]
        if len(names) != len(named) or sorted(own) != sorted(names):
            return None
        found.append(names)
    return found[0], found[1]


def _shape(tensor: Tensor) -> list[int]:
    return list(tensor.signature or tensor.shape)


def _spec(name: str, tensor: Tensor) -> TensorSpec:
    return msgspec.structs.replace(tensor.spec, name=recordable(name), shape=_shape(tensor))


def _has_batch_axis(tensor: Tensor) -> bool:
    """Return whether the first axis is the examples: it is open, or 1 beside others."""
    shape = _shape(tensor)
    return bool(shape) and (shape[0] == -1 or (shape[0] == 1 and len(shape) > 1))
