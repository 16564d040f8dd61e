"""Inputs and labels as arrays: a pair of .npy files, an .npz archive, or random values."""

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
#: Limit on uncompressed / compressed size, beyond _FREE_GROWTH bytes, against zip bombs. Photos have 10, drawings 50.
MOST_GROWTH, _FREE_GROWTH = 200, 16 << 20
#: Random inputs per pass without --limit.
RANDOM_IMAGES = 100


@dataclass(frozen=True)
class Arrays:
    """Inputs, uint8 or float32 [n, …], and labels, int64 [n] or None."""

    pixels: Path  # .npy file of ``inputs``
    inputs: npt.NDArray[Any]
    labels: npt.NDArray[np.int64] | None
    sha256: str


def load_arrays(data: Path, labels: Path | None) -> Arrays:
    """Load a .npy and the .npy of its labels, or an .npz; memory-mapped, never read as a whole.

    Raise DatasetError if a file cannot be used.
    """
    if data.suffix == ".npz":
        return _from_npz(data)
    inputs = _open(data)
    digest = sha256_of(data)
    if labels is None:
        return Arrays(data, _checked_inputs(inputs, data), None, digest)
    if labels.suffix != ".npy":
        raise DatasetError(f"{labels}: the labels of an array are an array", "name a .npy file with --labels")
    label_array = _checked_labels(_open(labels), len(inputs), labels)
    both = hashlib.sha256((digest + sha256_of(labels)).encode()).hexdigest()
    return Arrays(data, _checked_inputs(inputs, data), label_array, both)


def random_inputs(shape: tuple[int, ...], count: int | None, seed: int, *, images: bool) -> Arrays:
    """Return seeded random inputs of this shape: uint8 pixels for ``images``, otherwise float32 in 0..1."""
    generator = np.random.default_rng(seed)
    size = (count or RANDOM_IMAGES, *shape)
    values = generator.integers(0, 256, size, np.uint8) if images else generator.random(size, np.float32)
    digest = hashlib.sha256(repr((size, seed, images)).encode()).hexdigest()
    path = stored_array("random", values)
    return Arrays(path, values, None, digest)


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
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            image_key = next((key for key in _IMAGE_KEYS if key in members), None)
            label_key = next((key for key in _LABEL_KEYS if key in members), None)
            if image_key is None:
                names = ", ".join(members)[:80]
                raise DatasetError(f"{path}: holds {names}", f"call the inputs {' or '.join(_IMAGE_KEYS)}")
            pixels = _extracted(archive, members[image_key], path)
            labels = open_npy(_extracted(archive, members[label_key], path)) if label_key else None
        inputs = open_npy(pixels)
    except (OSError, ValueError, EOFError, zlib.error, NotImplementedError, RuntimeError, zipfile.BadZipFile) as cause:
        raise DatasetError(
            f"{path}: not an .npz archive: {why_unreadable(cause)}", "save it with numpy.savez"
        ) from None
    inputs = _checked_inputs(inputs, path)
    label_array = None if labels is None else _checked_labels(labels, len(inputs), path)
    return Arrays(pixels, inputs, label_array, sha256_of(path))


def _extracted(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Path:
    """Extract an array of the archive to a .npy in the cache, in constant memory.

    Raise DatasetError for a zip bomb. Raise ValueError if the sizes in the array's header, in the archive's directory
    and of the data differ.
    """
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotAnArray(f"{member.filename[:80]} is compressed as numpy does not")
    if member.file_size > MAX_BYTES or member.file_size > MOST_GROWTH * member.compress_size + _FREE_GROWTH:
        raise DatasetError(
            f"{path}: {member.filename[:80]} would grow from {member.compress_size:,} to {member.file_size:,} bytes",
            "give it as a .npy",
        )
    with archive.open(member) as stream:
        header = read_header(stream)  # type: ignore[arg-type]  # only read() is used
    if header.offset + header.bytes != member.file_size:
        raise NotAnArray(
            f"{member.filename[:80]} has {member.file_size - header.offset:,} bytes of values, its header claims "
            f"{header.bytes:,}"
        )
    with archive.open(member) as stream:
        return stored_stream(path.stem, stream, member.file_size)


def _checked_inputs(array: npt.NDArray[Any], path: Path) -> npt.NDArray[Any]:
    if array.dtype not in (np.uint8, np.float32) or array.ndim < 2 or not len(array):
        raise DatasetError(
            f"{path}: {array.dtype} of shape {list(array.shape)}",
            "inputs are uint8 pixels or float32 values, the first axis the examples",
        )
    return array


def _checked_labels(labels: npt.NDArray[Any], count: int, path: Path) -> npt.NDArray[np.int64]:
    labels = labels.reshape(-1) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.dtype.kind not in "iu" or labels.shape != (count,) or labels.min(initial=0) < 0:
        raise DatasetError(
            f"{path}: labels are {labels.dtype} of shape {list(labels.shape)}",
            f"one whole number from 0 for each of the {count:,} inputs",
        )
    return labels.astype(np.int64)
