"""Files of a bundle: the Keras original, .tflite variants and arrays, with their manifest entries."""

import importlib.metadata
import io
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.app.conversion.precisions import PRECISIONS, describe
from edge_bench.bench.io.files import replacing, sha256_of, write_atomically
from edge_bench.bench.records.manifest import File, TensorSpec, Variant
from edge_bench.bench.runtimes.keras_model import KerasModel
from edge_bench.bench.version import __version__, revision

__all__ = [
    "KerasSpecs",
    "file_entry",
    "keras_specs",
    "save_keras",
    "versions",
    "write_array",
    "write_keras",
    "write_tflite",
]


class KerasSpecs(NamedTuple):
    """Input and output of a Keras classifier."""

    input: TensorSpec
    output: TensorSpec
    fixed_batch: int | None


def keras_specs(model: Any) -> KerasSpecs:
    """Return input and output of a Keras classifier."""
    classifier = KerasModel(model)
    specs = [
        TensorSpec(dtype="float32", shape=[1, *(-1 if size is None else size for size in tensor.shape[1:])])
        for tensor in (classifier.input, classifier.output)
    ]
    return KerasSpecs(specs[0], specs[1], classifier.fixed_batch)


def save_keras(path: Path, model: Any) -> None:
    """Save a Keras model without its optimizer."""
    model.save(path, include_optimizer=False)


def write_keras(folder: Path, specs: KerasSpecs, save: Callable[[Path], None]) -> Variant:
    """Write the original as ``model.keras``: ``save`` writes the file to a path."""
    path = folder / "model.keras"
    with replacing(path, suffix=".keras") as temporary:
        save(temporary)
    return Variant(
        name="keras",
        precision="float32, the original",
        **specs._asdict(),
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
    """Return the version of everything that influences an export."""
    from edge_bench.bench.runtimes import RUNTIMES, installed_version

    return {
        "edge-bench": __version__,
        "edge-bench revision": revision(),
        "python": platform.python_version(),
        "tensorflow": installed_version(RUNTIMES["tensorflow"]) or "",
        "keras": importlib.metadata.version("keras"),
        "numpy": np.__version__,
    }
