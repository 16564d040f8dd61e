"""Data as arrays: a pair of .npy files, an .npz, or inputs drawn at random."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.cache import stored_array
from bench.errors import DatasetError
from bench.files import sha256_of

__all__ = ["Arrays", "load_arrays", "random_inputs"]

_IMAGE_KEYS = ("images", "x_test", "x", "data", "inputs", "arr_0")
_LABEL_KEYS = ("labels", "y_test", "y", "targets", "arr_1")
MAX_BYTES = 64 << 30
#: Random inputs that a pass has where no --limit says how many.
RANDOM_IMAGES = 100


@dataclass(frozen=True)
class Arrays:
    """Inputs in a .npy file, uint8 or float32 [n, …], and labels, int64 [n], or None."""

    pixels: Path
    inputs: npt.NDArray[Any]
    labels: npt.NDArray[np.int64] | None
    sha256: str


def load_arrays(data: Path, labels: Path | None) -> Arrays:
    """A .npy (memory-mapped, never read as a whole) with its labels' .npy, or an .npz. DatasetError for others."""
    if data.suffix == ".npz":
        return _from_npz(data)
    inputs = _open(data)
    digest = sha256_of(data)
    if labels is None:
        return Arrays(data, _checked(inputs, data), None, digest)
    if labels.suffix != ".npy":
        raise DatasetError(f"{labels}: the labels of an array are an array", "name a .npy file with --labels")
    numbers = _numbers(_open(labels), len(inputs), labels)
    return Arrays(
        data, _checked(inputs, data), numbers, hashlib.sha256((digest + sha256_of(labels)).encode()).hexdigest()
    )


def random_inputs(shape: tuple[int, ...], count: int | None, seed: int, *, images: bool) -> Arrays:
    """Inputs of a shape, drawn by a seed: uint8 pixels, or where these are no images, float32 in 0..1."""
    generator = np.random.default_rng(seed)
    size = (count or RANDOM_IMAGES, *shape)
    drawn = generator.integers(0, 256, size, np.uint8) if images else generator.random(size, np.float32)
    digest = hashlib.sha256(repr((size, seed, images)).encode()).hexdigest()
    path = stored_array("random", drawn)
    return Arrays(path, drawn, None, digest)


def _open(path: Path) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DatasetError(f"{path}: there is no such file") from None
    except (OSError, ValueError, EOFError) as cause:
        raise DatasetError(f"{path}: not a .npy array: {_line(cause)}", "save it with numpy.save") from None
    return array


def _from_npz(path: Path) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as archive:
            sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.zip.infolist()}
            image_key = next((key for key in _IMAGE_KEYS if key in archive.files), None)
            label_key = next((key for key in _LABEL_KEYS if key in archive.files), None)
            if image_key is None:
                raise DatasetError(
                    f"{path}: holds {', '.join(archive.files)[:80]}", f"call the inputs {' or '.join(_IMAGE_KEYS)}"
                )
            if sizes[image_key] > MAX_BYTES:
                raise DatasetError(f"{path}: {image_key} is {sizes[image_key]:,} bytes; that is too large")
            inputs = archive[image_key]
            labels = archive[label_key] if label_key else None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, MemoryError) as cause:
        raise DatasetError(f"{path}: not an .npz archive: {_line(cause)}", "save it with numpy.savez") from None
    inputs = _checked(inputs, path)
    numbers = None if labels is None else _numbers(labels, len(inputs), path)
    return Arrays(stored_array(path.stem, inputs), inputs, numbers, sha256_of(path))


def _checked(array: npt.NDArray[Any], path: Path) -> npt.NDArray[Any]:
    if array.dtype not in (np.uint8, np.float32) or array.ndim < 2 or not len(array):
        raise DatasetError(
            f"{path}: {array.dtype} of shape {list(array.shape)}",
            "inputs are uint8 pixels or float32 values, the first axis the examples",
        )
    return array


def _numbers(labels: npt.NDArray[Any], count: int, path: Path) -> npt.NDArray[np.int64]:
    labels = labels.reshape(-1) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.dtype.kind not in "iu" or labels.shape != (count,) or labels.min(initial=0) < 0:
        raise DatasetError(
            f"{path}: labels are {labels.dtype} of shape {list(labels.shape)}",
            f"one whole number from 0 for each of the {count:,} inputs",
        )
    return labels.astype(np.int64)


def _line(cause: BaseException) -> str:
    return (str(cause).splitlines() or [type(cause).__name__])[0][:120]
