"""Arrays that arrive in parts, stored in the cache in constant memory."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.cache import stored_stream

__all__ = ["PART_VALUES", "stored_rows"]

#: Number of values of a part. One part is in memory at a time.
PART_VALUES = 1 << 20


def stored_rows(name: str, shape: tuple[int, ...], dtype: np.dtype[Any], parts: Iterable[npt.NDArray[Any]]) -> Path:
    """Store an array whose rows come in parts as a .npy in the cache, named by ``name`` and a checksum of its content.

    Raise ValueError if the parts together do not have this shape, BadInput if the disk is full.
    """
    header = io.BytesIO()
    formats: Any = np.lib.format
    formats.write_array_header_1_0(header, {"descr": dtype.str, "fortran_order": False, "shape": shape})
    start = header.getvalue()
    size = len(start) + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    return stored_stream(name, _Stream(start, parts, dtype), size)


class _Stream:
    """The bytes of a header and of parts, read in order."""

    def __init__(self, start: bytes, parts: Iterable[npt.NDArray[Any]], dtype: np.dtype[Any]) -> None:
        self._left = memoryview(start)
        self._parts: Iterator[bytes] = (np.ascontiguousarray(part, dtype).tobytes() for part in parts)

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, empty at the end."""
        while not self._left:
            part = next(self._parts, None)
            if part is None:
                return b""
            self._left = memoryview(part)
        taken, self._left = self._left[:size], self._left[size:]
        return bytes(taken)
