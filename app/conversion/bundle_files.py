"""Single files of a bundle: the Keras original, arrays, and their manifest entries."""

import importlib.metadata
import io
import platform
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.files import replacing, sha256_of, write_atomically
from edge_bench.bench.records.manifest import File, TensorSpec, Variant
from edge_bench.bench.version import __version__, revision

__all__ = ["entry_of", "versions", "write_array", "write_keras"]


def write_keras(folder: Path, model: Any) -> Variant:
    """The original, without its optimizer, as ``model.keras``."""
    path = folder / "model.keras"
    with replacing(path, suffix=".keras") as temporary:
        model.save(temporary, include_optimizer=False)
    tensors = [TensorSpec(dtype="float32", shape=[1, *shape[1:]]) for shape in (model.input_shape, model.output_shape)]
    return Variant(
        name="keras",
        precision="float32, the original",
        input=tensors[0],
        output=tensors[1],
        **msgspec.structs.asdict(entry_of(folder, path)),
    )


def write_array(folder: Path, name: str, array: npt.NDArray[Any]) -> File:
    """An array as a .npy file of the bundle."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    write_atomically(folder / name, buffer.getvalue())
    return entry_of(folder, folder / name)


def entry_of(folder: Path, path: Path) -> File:
    """What the manifest says of a file."""
    return File(file=path.relative_to(folder).as_posix(), bytes=path.stat().st_size, sha256=sha256_of(path))


def versions() -> dict[str, str]:
    """Of everything that decides what is exported."""
    from edge_bench.bench.runtimes import RUNTIMES, installed_version

    return {
        "edge-bench": __version__,
        "edge-bench revision": revision(),
        "python": platform.python_version(),
        "tensorflow": installed_version(RUNTIMES["tensorflow"]) or "",
        "keras": importlib.metadata.version("keras"),
        "numpy": np.__version__,
    }
