"""Data as arrays: a pair of .npy files, an .npz, or inputs drawn at random."""

import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.cache import stored_array, stored_stream
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.files import open_regular_file, sha256_of, why_unreadable
from edge_bench.bench.io.npy import NotAnArray, open_npy, read_header

__all__ = ["Arrays", "load_arrays", "random_inputs"]

_IMAGE_KEYS = ("images", "x_test", "x", "data", "inputs", "arr_0")
_LABEL_KEYS = ("labels", "y_test", "y", "targets", "arr_1")
MAX_BYTES = 64 << 30
#: Images of real data shrink to a tenth, drawn ones to a fiftieth; what grows more than this is a bomb.
MOST_GROWTH, _FREE_GROWTH = 200, 16 << 20
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
        return open_npy(path)
    except FileNotFoundError:
        raise DatasetError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as cause:
        raise DatasetError(f"{path}: not a .npy array: {why_unreadable(cause)}", "save it with numpy.save") from None


def _from_npz(path: Path) -> Arrays:
    try:
        with open_regular_file(path) as file, zipfile.ZipFile(file) as archive:
            held = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            image_key = next((key for key in _IMAGE_KEYS if key in held), None)
            label_key = next((key for key in _LABEL_KEYS if key in held), None)
            if image_key is None:
                raise DatasetError(
                    f"{path}: holds {', '.join(held)[:80]}", f"call the inputs {' or '.join(_IMAGE_KEYS)}"
                )
            pixels = _unpacked(archive, held[image_key], path)
            labels = open_npy(_unpacked(archive, held[label_key], path)) if label_key else None
        inputs = open_npy(pixels)
    except (OSError, ValueError, EOFError, zlib.error, NotImplementedError, RuntimeError, zipfile.BadZipFile) as cause:
        raise DatasetError(
            f"{path}: not an .npz archive: {why_unreadable(cause)}", "save it with numpy.savez"
        ) from None
    inputs = _checked(inputs, path)
    numbers = None if labels is None else _numbers(labels, len(inputs), path)
    return Arrays(pixels, inputs, numbers, sha256_of(path))


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Path:
    """An array of the archive as a .npy in the cache, made in constant memory.

    What its header claims, what the archive claims and what is there have to be the same; DatasetError for what only
    grows when it is unpacked.
    """
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotAnArray(f"{member.filename[:80]} is compressed as numpy does not")
    if member.file_size > MAX_BYTES or member.file_size > MOST_GROWTH * member.compress_size + _FREE_GROWTH:
        raise DatasetError(
            f"{path}: {member.filename[:80]} would grow from {member.compress_size:,} to {member.file_size:,} bytes",
            "give it as a .npy",
        )
    with archive.open(member) as stream:
        header = read_header(stream)  # type: ignore[arg-type]  # it can be read, which is all that is asked of it
    if header.offset + header.bytes != member.file_size:
        raise NotAnArray(
            f"{member.filename[:80]} has {member.file_size - header.offset:,} bytes of values, its header claims "
            f"{header.bytes:,}"
        )
    with archive.open(member) as stream:
        return stored_stream(path.stem, stream, member.file_size)


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
