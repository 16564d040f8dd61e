"""Inputs and labels as arrays: a pair of .npy files, an .npz archive, or random values."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.cache import stored_array, stored_stream
from edge_bench.bench.dataset.listing.class_names import MAX_LABEL
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.archives import ARCHIVE_ERRORS, open_member
from edge_bench.bench.io.files import open_regular_file, sha256_of, why_unreadable
from edge_bench.bench.io.npy import NotAnArray, open_npy, read_header
from edge_bench.bench.wording import counted

__all__ = ["Arrays", "extracted_array", "load_arrays", "random_inputs"]

_IMAGE_KEYS = ("images", "x_test", "x", "data", "inputs", "arr_0")
_LABEL_KEYS = ("labels", "y_test", "y", "targets", "arr_1")
MAX_BYTES = 64 << 30
#: Limit on uncompressed / compressed size, beyond _FREE_GROWTH bytes, against zip bombs. Photos reach 10, drawings 50.
MOST_GROWTH, _FREE_GROWTH = 200, 16 << 20
#: Random inputs per pass without --limit.
RANDOM_IMAGES = 100
_ONE_HOT_STEP = 1 << 22  # values that are checked at a time


@dataclass(frozen=True)
class Arrays:
    """Inputs, uint8 or float32 [n, …], and labels, int64 [n] or None."""

    pixels: Path  # .npy file of ``inputs``
    inputs: npt.NDArray[Any]
    labels: npt.NDArray[np.int64] | None
    sha256: str
    notes: tuple[str, ...] = ()  # how the labels were read


def load_arrays(data: Path, labels: Path | None) -> Arrays:
    """Load a .npy and the .npy of its labels, or an .npz. Arrays are memory-mapped, never read as a whole.

    Labels are whole numbers of any type, shape [n] or [n, 1], or one-hot [n, classes]. If ``labels`` is given, it
    replaces the labels in an .npz. Raise DatasetError if a file cannot be used.
    """
    if labels is not None and labels.suffix != ".npy":
        raise DatasetError(f"{labels}: not a .npy array, but the inputs are an array", "give a .npy file with --labels")
    if data.suffix == ".npz":
        pixels, inputs, own_labels = _from_npz(data)
    else:
        pixels, inputs, own_labels = data, _open(data), None
    inputs, digest = _checked_inputs(inputs, data), sha256_of(data)
    if labels is not None:
        digest = hashlib.sha256((digest + sha256_of(labels)).encode()).hexdigest()
        values, notes = _checked_labels(_open(labels), len(inputs), labels)
    elif own_labels is not None:
        values, notes = _checked_labels(own_labels, len(inputs), data)
    else:
        return Arrays(pixels, inputs, None, digest)
    return Arrays(pixels, inputs, values, digest, notes)


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
        raise DatasetError(f"{path}: no such file") from None
    except (OSError, ValueError) as cause:
        raise DatasetError(f"{path}: not a .npy array: {why_unreadable(cause)}", "save it with numpy.save") from None


def _from_npz(path: Path) -> tuple[Path, npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Return the .npy of the inputs in the cache, the inputs, and the labels if there are any."""
    try:
        with open_regular_file(path) as file, zipfile.ZipFile(file) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            image_key = next((key for key in _IMAGE_KEYS if key in members), None)
            label_key = next((key for key in _LABEL_KEYS if key in members), None)
            if image_key is None:
                names = ", ".join(members)[:80]
                raise DatasetError(f"{path}: no array of inputs among {names}", f"call it {' or '.join(_IMAGE_KEYS)}")
            pixels = extracted_array(archive, members[image_key], path)
            labels = open_npy(extracted_array(archive, members[label_key], path)) if label_key else None
        return pixels, open_npy(pixels), labels
    except (OSError, *ARCHIVE_ERRORS) as cause:
        raise DatasetError(
            f"{path}: not an .npz archive: {why_unreadable(cause)}", "save it with numpy.savez"
        ) from None


def extracted_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Path:
    """Extract an array of the archive to a .npy in the cache, in constant memory.

    Raise DatasetError for a zip bomb. Raise ValueError if the array's header, the archive's directory and the data
    state different sizes.
    """
    if member.file_size > MAX_BYTES or member.file_size > MOST_GROWTH * member.compress_size + _FREE_GROWTH:
        raise DatasetError(
            f"{path}: {member.filename[:80]} would grow from {member.compress_size:,} to {member.file_size:,} bytes",
            "save it as an uncompressed .npy",
        )
    with open_member(archive, member, MAX_BYTES) as stream:
        header = read_header(stream)  # type: ignore[arg-type]  # only read() is used
    if header.offset + header.bytes != member.file_size:
        raise NotAnArray(
            f"{member.filename[:80]} has {member.file_size - header.offset:,} bytes of values, but its header states "
            f"{header.bytes:,}"
        )
    with open_member(archive, member, MAX_BYTES) as stream:
        return stored_stream(path.stem, stream, member.file_size)


def _checked_inputs(array: npt.NDArray[Any], path: Path) -> npt.NDArray[Any]:
    if array.dtype not in (np.uint8, np.float32) or array.ndim < 2 or not len(array):
        raise DatasetError(
            f"{path}: unsupported array: {array.dtype} of shape {list(array.shape)}",
            "save uint8 pixels or float32 values, with the examples on the first axis",
        )
    return array


def _checked_labels(labels: npt.NDArray[Any], count: int, path: Path) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return labels as int64 [count] and notes; raise DatasetError if they are not labels, or out of range."""
    shown = f"labels are {labels.dtype} of shape {list(labels.shape)}"
    remedy, notes = f"use one whole number from 0 for each of the {count:,} inputs", tuple[str, ...]()
    labels = labels.reshape(-1) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.dtype.kind not in "iufb" or labels.shape[:1] != (count,) or labels.ndim not in (1, 2):
        raise DatasetError(f"{path}: {shown}", remedy)
    if labels.ndim == 2:
        notes = (f"labels: one-hot in {path.name}, {counted(labels.shape[1], 'class')}",)
        columns = _from_one_hot(labels)
        if columns is None:
            raise DatasetError(f"{path}: {shown}, but not every row has exactly one 1", remedy)
        labels = columns
    bad = ~((labels >= 0) & (labels <= MAX_LABEL))  # also true for NaN
    if labels.dtype.kind == "f":
        bad |= labels != np.floor(labels)
    if bad.any():
        first = int(bad.argmax())
        raise DatasetError(
            f"{path}: label {labels[first]} at index {first:,}",
            f"labels are whole numbers from 0 to {MAX_LABEL:,}; remove examples without a class",
        )
    return labels.astype(np.int64), notes


def _from_one_hot(labels: npt.NDArray[Any]) -> npt.NDArray[np.int64] | None:
    """Return the column of the 1 in each row of an array [n, classes]; None if a row is not one-hot."""
    step, found = max(1, _ONE_HOT_STEP // max(1, labels.shape[1])), np.empty(len(labels), np.int64)
    for start in range(0, len(labels), step):
        part = labels[start : start + step]
        if not ((part == 0) | (part == 1)).all() or (np.count_nonzero(part, axis=1) != 1).any():
            return None
        found[start : start + step] = part.argmax(axis=1)
    return found
