"""A strict reader of .npy files: only plain numbers, a limited header, and a header that fits the file's size.

Format: numpy.lib.format. The size that the header states is checked against the file before the array is mapped, so a
false header allocates nothing.
"""

import io
import math
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.files import open_regular_file

__all__ = ["NotAnArray", "NpyHeader", "open_npy", "read_header"]

MAGIC = b"\x93NUMPY"
#: Longest header in bytes that numpy itself accepts from an untrusted file.
MAX_HEADER = 10_000
MAX_AXES = 32
_TYPES = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"f2", "f4", "f8", "b1"}
_MAX_LENGTH = 10**18


class NotAnArray(ValueError):
    """A file that is not a valid .npy array. The message says why."""


@dataclass(frozen=True)
class NpyHeader:
    """The header of a .npy file."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    offset: int  # of the values, in bytes from the start of the file

    @property
    def bytes(self) -> int:
        """Size of the values in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


def open_npy(path: Path) -> npt.NDArray[Any]:
    """Return the array in a file, memory-mapped and read-only.

    Raise OSError if the file cannot be read, NotAnArray if it is not an array of plain numbers or if its size differs
    from the one that its header states.
    """
    with open_regular_file(path) as file:
        header = read_header(file)
        size = os.fstat(file.fileno()).st_size
        if size != header.offset + header.bytes:
            raise NotAnArray(f"{size - header.offset:,} bytes of values, but its header states {header.bytes:,}")
        order: Any = "F" if header.fortran else "C"
        if not header.bytes:  # an empty array cannot be mapped
            try:
                return np.zeros(header.shape, header.dtype, order)
            except ValueError:
                raise NotAnArray("its header has an invalid shape") from None
        mapped: npt.NDArray[Any] = np.memmap(file, header.dtype, "r", header.offset, header.shape, order)
        return mapped


def read_header(file: BinaryIO) -> NpyHeader:
    """Read the header at the start of a file; raise NotAnArray if it is not valid."""
    start = file.read(MAX_HEADER + 12)
    if start[:6] != MAGIC:
        raise NotAnArray("no .npy header")
    width = {1: 2, 2: 4, 3: 4}.get(start[6]) if len(start) >= 8 else None
    if width is None:
        raise NotAnArray("an unknown version of the format")
    length = int.from_bytes(start[8 : 8 + width], "little")
    if length > MAX_HEADER:
        raise NotAnArray(f"its header states a length of {length:,} bytes, more than {MAX_HEADER:,}")
    offset = 8 + width + length
    if len(start) < offset:
        raise NotAnArray("its header is truncated")
    dtype, shape, fortran = _parse(start[8:offset], start[6])
    return NpyHeader(dtype, shape, fortran, offset)


def _parse(header: bytes, version: int) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    """Return dtype, shape and order from a header with its length field; numpy parses it with ast.literal_eval."""
    # numpy has no public reader of version 3, which is version 2 in UTF-8: the same for plain numbers
    formats: Any = np.lib.format
    read = formats.read_array_header_1_0 if version == 1 else formats.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # numpy accepts a header of Python 2 with a warning
            shape, fortran, dtype = read(io.BytesIO(header), MAX_HEADER)
    except Exception:  # besides ValueError, numpy passes on errors of Python's parser, such as RecursionError
        raise NotAnArray("its header does not describe an array of plain numbers") from None
    if dtype.hasobject:
        raise NotAnArray("it contains Python objects, which are never unpickled")
    if dtype.str[1:] not in _TYPES:
        raise NotAnArray("its header does not describe an array of plain numbers")
    if len(shape) > MAX_AXES or not all(0 <= size < _MAX_LENGTH for size in shape):
        raise NotAnArray("its header has an invalid shape")
    return dtype, tuple(int(size) for size in shape), fortran
