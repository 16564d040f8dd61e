"""The .npy format read strictly: only plain numbers, a header that is not executed, a size that is the file's.

Source: numpy.lib.format. Nothing is allocated for what a header claims: an array is mapped, after its claim was held
against the bytes that are there.
"""

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.files import open_regular_file

__all__ = ["NotAnArray", "NpyHeader", "open_npy", "read_header"]

MAGIC = b"\x93NUMPY"
#: What numpy itself accepts of a file that it does not trust.
MAX_HEADER = 10_000
MAX_AXES = 32
_TYPES = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"f2", "f4", "f8", "b1"}
_ITEM = (
    rb"\s*(?:'descr'\s*:\s*'(?P<descr>[<>|=]?[a-z]\d{1,2})'"
    rb"|'fortran_order'\s*:\s*(?P<fortran>True|False)"
    rb"|'shape'\s*:\s*\((?P<shape>[\d,\s]*)\))\s*"
)
_NUMBER = re.compile(rb"\d{1,18}")


class NotAnArray(ValueError):
    """What is wrong with a file that should be a .npy array."""


@dataclass(frozen=True)
class NpyHeader:
    """What a .npy file says of itself."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    offset: int  # where the values begin

    @property
    def bytes(self) -> int:
        """How many bytes the values take."""
        return math.prod(self.shape) * self.dtype.itemsize


def open_npy(path: Path) -> npt.NDArray[Any]:
    """The array of a file, memory-mapped and read-only.

    Raises OSError where it cannot be read, NotAnArray where it is no array of plain numbers or its size is another than
    its header claims.
    """
    with open_regular_file(path) as file:
        header = read_header(file)
        size = os.fstat(file.fileno()).st_size
        if size != header.offset + header.bytes:
            raise NotAnArray(f"{size - header.offset:,} bytes of values, its header claims {header.bytes:,}")
        order: Any = "F" if header.fortran else "C"
        if not header.bytes:  # nothing can be mapped
            try:
                return np.zeros(header.shape, header.dtype, order)
            except ValueError:
                raise NotAnArray("its header describes a shape that is none") from None
        mapped: npt.NDArray[Any] = np.memmap(file, header.dtype, "r", header.offset, header.shape, order)
        return mapped


def read_header(file: BinaryIO) -> NpyHeader:
    """Reads a header and leaves the file where its values begin. NotAnArray where it is none."""
    start = file.read(8)
    if start[:6] != MAGIC:
        raise NotAnArray("it does not begin as a .npy file does")
    wide = {1: 2, 2: 4, 3: 4}.get(start[6]) if len(start) == 8 else None
    if wide is None:
        raise NotAnArray("a version of the format that is not known")
    length = int.from_bytes(file.read(wide), "little")
    if length > MAX_HEADER:
        raise NotAnArray(f"its header claims {length:,} bytes; {MAX_HEADER:,} are read")
    text = file.read(length)
    if len(text) != length:
        raise NotAnArray("its header is cut off")
    dtype, shape, fortran = _described(text)
    return NpyHeader(dtype, shape, fortran, 8 + wide + length)


def _described(text: bytes) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    """The three things that a header says, by a grammar that has nothing else in it."""
    body = text.strip()
    if b"'|O'" in body or b"'O'" in body:
        raise NotAnArray("it holds Python objects, which would have to be unpickled: that is never done")
    found: dict[str, bytes] = {}
    if body[:1] == b"{" and body[-1:] == b"}":
        rest = body[1:-1]
        while item := re.match(_ITEM + rb"(?:,|$)", rest):
            found |= {name: value for name, value in item.groupdict().items() if value is not None}
            rest = rest[item.end() :]
        if rest.strip():
            found = {}
    if len(found) != 3 or found["descr"].lstrip(b"<>|=").decode() not in _TYPES:
        raise NotAnArray("its header describes no array of plain numbers")
    sizes = found["shape"].split(b",")
    if not sizes[-1].strip():
        sizes.pop()
    numbers = [size.strip() for size in sizes]
    if len(numbers) > MAX_AXES or not all(_NUMBER.fullmatch(number) for number in numbers):
        raise NotAnArray("its header describes a shape that is none")
    return np.dtype(found["descr"].decode()), tuple(int(number) for number in numbers), found["fortran"] == b"True"
