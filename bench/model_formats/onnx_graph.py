"""Names of the files that an .onnx model stores its weights in, and sizes of its tensors, in pure Python.

The onnx package is not installed on edge devices. Field numbers: onnx/onnx.proto (ONNX 1.17).
"""

import contextlib
import math
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_bench.bench.io.files import open_regular_file
from edge_bench.bench.model_formats.protobuf import LENGTH, MAX_FILE_BYTES, VARINT, MessageReader

__all__ = ["TensorSizes", "external_locations", "stated_sizes"]

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
_DIMS, _DATA_TYPE = 1, 2  # of a TensorProto
_KEY, _VALUE = 1, 2  # of a StringStringEntryProto
_VALUES = (11, 12, 13)  # inputs, outputs and other values of a GraphProto
_MAX_AXES = 32
#: Bytes per value by TensorProto.DataType; all others have 4, or text of any length.
_ITEM_BYTES = {2: 1, 3: 1, 4: 2, 5: 2, 7: 8, 9: 1, 10: 2, 11: 8, 13: 8, 14: 8, 15: 16, 16: 2,
               17: 1, 18: 1, 19: 1, 20: 1, 21: 1, 22: 1}  # fmt: skip


@dataclass(frozen=True)
class TensorSizes:
    """Sizes that an .onnx file states, in bytes."""

    constants: int  # of all stored tensors
    largest_value: int  # of the largest input, output or intermediate value; open axes count as 1


def external_locations(path: Path) -> list[str]:
    """Return the locations of a model's external tensors, each once, in the order of the file.

    A location is relative to the model's folder and not checked. Raise OSError if the file cannot be read, ValueError
    if it is no whole .onnx file, has more than MAX_FIELDS fields, or a tensor has no location.
    """
    with _opened(path) as data:
        return list(dict.fromkeys(_Reader(data).locations()))


def stated_sizes(path: Path) -> TensorSizes:
    """Return the sizes of tensors and values, which need not be true. Raise OSError or ValueError as above."""
    with _opened(path) as data:
        return _Reader(data).sizes()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[mmap.mmap]:
    with open_regular_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if not 0 < size <= MAX_FILE_BYTES:
            raise ValueError(f"{size:,} bytes" if not size else f"larger than {MAX_FILE_BYTES:,} bytes")
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
            yield data


class _Reader(MessageReader):
    """The messages of a model that lead to its tensors."""

    def locations(self) -> Iterator[str]:
        """Yield the location of every external tensor."""
        for message, start, end in self._messages():
            if message == _TENSOR:
                yield from self._location(start, end)

    def sizes(self) -> TensorSizes:
        """Return what the file states about the sizes of its tensors and values."""
        constants = largest = 0
        for message, start, end in self._messages():
            if message == _TENSOR:
                constants += self._tensor_bytes(start, end)
            elif message == "GraphProto":
                for number, kind, first, last in self.fields(start, end):
                    if number in _VALUES and kind == LENGTH:
                        largest = max(largest, self._value_bytes(first, last))
        return TensorSizes(constants, largest)

    def _messages(self) -> Iterator[tuple[str, int, int]]:
        """Yield name, start and end of every message that leads to a tensor, and of the tensors."""
        open_messages = [("ModelProto", 0, len(self.data))]
        while open_messages:
            message, start, end = open_messages.pop()
            yield message, start, end
            if message == _TENSOR:
                continue
            children = _CHILDREN[message]
            found = [
                (children[number], first, last)
                for number, kind, first, last in self.fields(start, end)
                if kind == LENGTH and number in children
            ]
            open_messages += reversed(found)

    def _location(self, start: int, end: int) -> Iterator[str]:
        """Yield the location of a tensor if it is external."""
        external, entries = False, dict[bytes, bytes]()
        for number, kind, first, last in self.fields(start, end):
            if number == _DATA_LOCATION and kind == VARINT:
                external = self.varint(first, last)[0] == _EXTERNAL
            elif number == _EXTERNAL_DATA and kind == LENGTH:
                entry = {
                    field: self.data[begin:stop] for field, kind, begin, stop in self.fields(first, last)
                    if kind == LENGTH
                }  # fmt: skip
                entries[entry.get(_KEY, b"")] = entry.get(_VALUE, b"")
        if not external:
            return
        location = os.fsdecode(entries.get(b"location", b""))
        if not location or "\0" in location:
            raise ValueError("an external tensor without a location")
        yield location

    def _tensor_bytes(self, start: int, end: int) -> int:
        sizes, item = list[int](), 4
        for number, kind, first, last in self.fields(start, end):
            if number == _DIMS and kind == VARINT:
                sizes.append(self.varint(first, last)[0])
            elif number == _DIMS and kind == LENGTH:
                place = first
                while place < last and len(sizes) <= _MAX_AXES:
                    size, place = self.varint(place, last)
                    sizes.append(size)
            elif number == _DATA_TYPE and kind == VARINT:
                item = _ITEM_BYTES.get(self.varint(first, last)[0], 4)
        return item * _product(sizes)

    def _value_bytes(self, start: int, end: int) -> int:
        """Return the size of a ValueInfoProto that is a tensor, 0 for another one."""
        largest = 0
        for kind in self.messages(2, start, end):
            for tensor in self.messages(1, *kind):
                item = [self.varint(first, last)[0] for number, wire, first, last in self.fields(*tensor)
                        if number == 1 and wire == VARINT]  # fmt: skip
                for shape in self.messages(2, *tensor):
                    sizes = [
                        self.varint(first, last)[0]
                        for axis in self.messages(1, *shape)
                        for number, wire, first, last in self.fields(*axis)
                        if number == 1 and wire == VARINT
                    ]
                    largest = max(largest, _ITEM_BYTES.get(item[-1] if item else 1, 4) * _product(sizes))
        return largest


def _product(sizes: list[int]) -> int:
    """Return the number of values; a negative size, which has 64 bits, is an open axis."""
    return math.prod(size if size < 1 << 63 else 1 for size in sizes[:_MAX_AXES])
