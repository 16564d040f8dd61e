"""Files of a bundle: the Keras original, .tflite variants and arrays, with their manifest entries."""

import importlib.metadata
import io
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.app.conversion.graph_files import GraphFile
from edge_bench.app.conversion.precisions import PRECISIONS, describe
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import replacing, sha256_of, write_atomically
from edge_bench.bench.records.manifest import File, TensorSpec, Variant
from edge_bench.bench.runtimes.tensorflow.keras_model import KerasModel
from edge_bench.bench.runtimes.tensorflow.keras_names import keras_signature
from edge_bench.bench.version import __version__, revision

__all__ = [
    "KerasSpecs",
    "file_entry",
    "fixed_batch_of",
    "keras_graph_specs",
    "keras_specs",
    "save_keras",
    "versions",
    "write_array",
    "write_graph",
    "write_keras",
    "write_rows",
    "write_tflite",
]

_PART_BYTES = 16 << 20


class KerasSpecs(NamedTuple):
    """Inputs and outputs of a Keras model."""

    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    fixed_batch: int | None


def keras_specs(model: Any) -> KerasSpecs:
    """Return input and output of a Keras classifier."""
    classifier = KerasModel(model)
    specs = [
        TensorSpec(dtype="float32", shape=[1, *(-1 if size is None else size for size in tensor.shape[1:])])
        for tensor in (classifier.input, classifier.output)
    ]
    return KerasSpecs(specs[:1], specs[1:], classifier.fixed_batch)


def keras_graph_specs(model: Any) -> KerasSpecs:
    """Return all inputs and outputs of a Keras model, by name. Raise BadInput if its file does not state them."""
    try:
        signature = keras_signature(model)
    except ValueError as cause:
        raise BadInput(f"{model.name}: {cause}") from None
    return KerasSpecs(signature.inputs, signature.outputs, fixed_batch_of(signature.inputs))


def fixed_batch_of(inputs: Sequence[TensorSpec]) -> int | None:
    """Return the only batch size of inputs with these shapes; None if any is allowed. One axis is one example."""
    if any(len(each.shape) == 1 and each.shape[0] > 0 for each in inputs):
        return 1
    return next((each.shape[0] for each in inputs if each.shape and each.shape[0] > 0), None)


def save_keras(path: Path, model: Any) -> None:
    """Save a Keras model without its optimizer."""
    model.save(path, include_optimizer=False)


def write_keras(folder: Path, specs: KerasSpecs, save: Callable[[Path], None], *, graph: bool = False) -> Variant:
    """Write the original as ``model.keras``: ``save`` writes the file to a path.

    With ``graph``, the variant has all inputs and outputs, otherwise one each, as a classifier.
    """
    path = folder / "model.keras"
    with replacing(path, suffix=".keras") as temporary:
        save(temporary)
    return Variant(
        name="keras",
        precision="float32, the original",
        input=specs.inputs[0],
        output=specs.outputs[0],
        inputs=specs.inputs if graph else [],
        outputs=specs.outputs if graph else [],
        fixed_batch=specs.fixed_batch,
        **msgspec.structs.asdict(file_entry(folder, path)),
    )


def write_tflite(folder: Path, name: str, content: bytes) -> Variant:
    """Write a .tflite file of the precision ``name`` into ``variants/``."""
    path = folder / "variants" / f"{name}.tflite"
    write_atomically(path, content)
    tensor_in, tensor_out, operators, fixed_batch = describe(content)
    return Variant(
        name=name,
        precision=PRECISIONS[name],
        input=tensor_in,
        output=tensor_out,
        operators=operators,
        fixed_batch=fixed_batch,
        **msgspec.structs.asdict(file_entry(folder, path)),
    )


def write_graph(folder: Path, graph: GraphFile, name: str, precision: str, content: bytes) -> Variant:
    """Write a .tflite file with any inputs and outputs into ``variants/``."""
    path = folder / "variants" / f"{name}.tflite"
    write_atomically(path, content)
    return Variant(
        name=name,
        precision=precision,
        input=graph.inputs[0],
        output=graph.outputs[0],
        inputs=graph.inputs,
        outputs=graph.outputs,
        signature=graph.signature,
        operators=list(graph.file.operators),
        fixed_batch=fixed_batch_of(graph.inputs),
        **msgspec.structs.asdict(file_entry(folder, path)),
    )


def write_rows(folder: Path, name: str, array: npt.NDArray[Any], rows: npt.NDArray[np.int64]) -> File:
    """Write rows of an array as a .npy file of the bundle, a few at a time."""
    formats: Any = np.lib.format
    step = max(1, _PART_BYTES // max(1, array[:1].nbytes))
    with replacing(folder / name) as temporary, temporary.open("wb") as file:
        shape = (len(rows), *array.shape[1:])
        formats.write_array_header_1_0(file, {"descr": array.dtype.str, "fortran_order": False, "shape": shape})
        for start in range(0, len(rows), step):
            file.write(np.ascontiguousarray(array[rows[start : start + step]]).tobytes())
    return file_entry(folder, folder / name)


def write_array(folder: Path, name: str, array: npt.NDArray[Any]) -> File:
    """Write an array as a .npy file of the bundle."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    write_atomically(folder / name, buffer.getvalue())
    return file_entry(folder, folder / name)


def file_entry(folder: Path, path: Path) -> File:
    """Return the manifest entry of a file."""
    return File(file=path.relative_to(folder).as_posix(), bytes=path.stat().st_size, sha256=sha256_of(path))


def versions() -> dict[str, str]:
    """Return the versions of all software that affects an export."""
    from edge_bench.bench.runtimes import RUNTIMES, installed_version

    return {
        "edge-bench": __version__,
        "edge-bench revision": revision(),
        "python": platform.python_version(),
        "tensorflow": installed_version(RUNTIMES["tensorflow"]) or "",
        "keras": importlib.metadata.version("keras"),
        "numpy": np.__version__,
    }
