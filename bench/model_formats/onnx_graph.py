"""Names of the files that an .onnx model stores its weights in, in pure Python.

The onnx package is not installed on edge devices. Field numbers: onnx/onnx.proto (ONNX 1.17). Wire format:
protobuf.dev/programming-guides/encoding.
"""

import mmap
import os
from collections.abc import Iterator
from pathlib import Path

from edge_bench.bench.io.files import open_regular_file

__all__ = ["MAX_FIELDS", "external_locations"]

#: Limit of protobuf on the size of a message.
MAX_FILE_BYTES = 2 << 30
#: Limit on the fields read, which take about 5 s. A graph of 10,000 nodes has about 200,000.
MAX_FIELDS = 5_000_000

_TENSOR = "TensorProto"
#: Message → field number → message in that field, for every way from a model to a tensor.
_CHILDREN: dict[str, dict[int, str]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "GraphProto": {1: "NodeProto", 5: _TENSOR, 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: _TENSOR, 6: "GraphProto", 10: _TENSOR, 11: "GraphProto", 22: "SparseTensorProto", 23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: _TENSOR, 2: _TENSOR},
}  # fmt: skip
_EXTERNAL_DATA, _DATA_LOCATION, _EXTERNAL = 13, 14, 1  # of a TensorProto
_KEY, _VALUE = 1, 2  # of a StringStringEntryProto
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5


def external_locations(path: Path) -> list[str]:
    """Return the locations of a model's external tensors, each once, in the order of the file.

    A location is relative to the model's folder and not checked. Raise OSError if the file cannot be read, ValueError
    if it is no whole .onnx file, has more than MAX_FIELDS fields, or a tensor has no location.
    """
    with open_regular_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if not 0 < size <= MAX_FILE_BYTES:
            raise ValueError(f"{size:,} bytes" if not size else f"larger than {MAX_FILE_BYTES:,} bytes")
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
            return list(dict.fromkeys(_Reader(data).locations()))


class _Reader:
    """Fields of a protobuf message; without recursion, since nesting may be as deep as the file is long."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data, self._left = data, MAX_FIELDS

    def locations(self) -> Iterator[str]:
        """Yield the location of every external tensor."""
        open_messages = [("ModelProto", 0, len(self._data))]
        while open_messages:
            message, start, end = open_messages.pop()
            if message == _TENSOR:
                yield from self._location(start, end)
                continue
            children = _CHILDREN[message]
            found = [
                (children[number], first, last)
                for number, kind, first, last in self._fields(start, end)
                if kind == _LENGTH and number in children
            ]
            open_messages += reversed(found)

    def _location(self, start: int, end: int) -> Iterator[str]:
        """Yield the location of a tensor if it is external."""
        external, entries = False, dict[bytes, bytes]()
        for number, kind, first, last in self._fields(start, end):
            if number == _DATA_LOCATION and kind == _VARINT:
                external = self._varint(first, last)[0] == _EXTERNAL
            elif number == _EXTERNAL_DATA and kind == _LENGTH:
                entry = {
                    field: self._data[begin:stop] for field, kind, begin, stop in self._fields(first, last)
                    if kind == _LENGTH
                }  # fmt: skip
                entries[entry.get(_KEY, b"")] = entry.get(_VALUE, b"")
        if not external:
            return
        location = os.fsdecode(entries.get(b"location", b""))
        if not location or "\0" in location:
            raise ValueError("an external tensor without a location")
        yield location

    def _fields(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield number, wire type, start and end of the value of each field of a message."""
        while start < end:
            self._left -= 1
            if self._left < 0:
                raise ValueError(f"more than {MAX_FIELDS:,} parts")
            tag, start = self._varint(start, end)
            number, kind = tag >> 3, tag & 7
            if kind == _VARINT:
                _, stop = self._varint(start, end)
            elif kind == _LENGTH:
                length, start = self._varint(start, end)
                stop = start + length
            elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
                stop = start + (8 if kind == _EIGHT_BYTES else 4)
            else:
                raise ValueError("its parts do not fit each other")
            if stop > end or not number:
                raise ValueError("its parts do not fit each other")
            yield number, kind, start, stop
            start = stop

    def _varint(self, start: int, end: int) -> tuple[int, int]:
        """Return the number that starts at ``start``, and where it ends."""
        value = 0
        for count in range(10):
            if start + count >= end:
                break
            byte = self._data[start + count]
            value |= (byte & 0x7F) << (7 * count)
            if byte < 0x80:
                return value, start + count + 1
        raise ValueError("its parts do not fit each other")
