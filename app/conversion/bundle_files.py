"""Files of a bundle: the Keras original, .tflite variants and arrays, with their manifest entries."""

import importlib.metadata
import io
import platform
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.app.conversion.precisions import PRECISIONS, describe
from edge_bench.bench.io.files import replacing, sha256_of, write_atomically
from edge_bench.bench.records.manifest import File, TensorSpec, Variant
from edge_bench.bench.runtimes.keras_model import KerasModel
from edge_bench.bench.version import __version__, revision

__all__ = ["file_entry", "versions", "write_array", "write_keras", "write_tflite"]


def write_keras(folder: Path, model: Any) -> Variant:
    """Write the original, without its optimizer, as ``model.keras``."""
    path = folder / "model.keras"
    with replacing(path, suffix=".keras") as temporary:
        model.save(temporary, include_optimizer=False)
    classifier = KerasModel(model)
    specs = [
        TensorSpec(dtype="float32", shape=[1, *(-1 if size is None else size for size in tensor.shape[1:])])
        for tensor in (classifier.input, classifier.output)
    ]
    return Variant(
        name="keras",
        precision="float32, the original",
        input=specs[0],
        output=specs[1],
        fixed_batch=classifier.fixed_batch,
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
