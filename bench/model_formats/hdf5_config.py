"""Configurations of Keras models in .h5 files, found without HDF5, which is native code.

HDF5 stores a text in one piece, so the JSON of a configuration can be found by its beginning. A file can hide it, for
example between two filters. Therefore the worker that loads the file checks the configuration that HDF5 returns.
"""

import json
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge_bench.bench.io.files import open_regular_file

__all__ = ["find_configs"]

_MARK = b'"class_name"'
_MAX_CONFIG_BYTES = 64 << 20
_MAX_PREFIX_BYTES = 4096  # between the beginning of an object and its class_name
_MAX_READ_BYTES = 128 << 20  # in all attempts together
_WINDOW = 16 << 20  # bytes that are searched at once


def find_configs(path: Path) -> Iterator[Any]:
    """Yield every decoded JSON object with a class name that is not in another one. Raise OSError if unreadable."""
    with open_regular_file(path) as file:
        if not os.fstat(file.fileno()).st_size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield from _objects(data)


def _objects(data: mmap.mmap) -> Iterator[Any]:
    place, budget = 0, _MAX_READ_BYTES
    while budget > 0 and (mark := _find(data, place)) >= 0:
        start = data.rfind(b"{", max(place, mark - _MAX_PREFIX_BYTES), mark)
        place = mark + len(_MARK)
        if start < 0:
            continue
        end = data.find(b"\0", mark, start + _MAX_CONFIG_BYTES)  # a text ends with a zero, or with the file
        text = bytes(data[start : end if end >= 0 else start + _MAX_CONFIG_BYTES]).decode("utf-8", "replace")
        budget -= len(text)
        try:
            found, length = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            continue
        yield found
        place = start + max(len(text[:length].encode("utf-8", "replace")), place - start)


def _find(data: mmap.mmap, place: int) -> int:
    """Return the position of the next mark, -1 if there is none.

    The searched pages are released, so that a large file does not count as memory of this process.
    """
    while place < len(data):
        found = data.find(_MARK, place, place + _WINDOW)
        if found >= 0:
            return found
        if hasattr(mmap, "MADV_DONTNEED"):
            data.madvise(mmap.MADV_DONTNEED)
        place += _WINDOW - len(_MARK) + 1
    return -1
