"""Where an .onnx model stores its weights, and sizes of its tensors, in pure Python.

The onnx package is not installed on edge devices. Field numbers: onnx/onnx.proto (ONNX 1.17).
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.io.files import mapped
from edge_bench.bench.model_formats.protobuf import LENGTH, MAX_FILE_BYTES, VARINT, MessageReader

__all__ = ["ExternalTensor", "TensorSizes", "external_locations", "external_tensors", "stated_sizes"]

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
_DIMS, _DATA_TYPE, _NAME = 1, 2, 8  # of a TensorProto
_KEY, _VALUE = 1, 2  # of a StringStringEntryProto
_VALUES = (11, 12, 13)  # inputs, outputs and other values of a GraphProto
_MAX_AXES = 32
#: Bits per value by TensorProto.DataType. Others are text or unknown.
_ITEM_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128,
              16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2}  # fmt: skip
_OTHER_BITS = 32
#: Limits on the bytes of a key, of the value of a key, and of the locations and names of all external tensors.
_MAX_KEY, _MAX_VALUE, MAX_TEXTS = 64, 4096, 16 << 20
_MAX_DIGITS = 19


@dataclass(frozen=True)
class TensorSizes:
    """Sizes that an .onnx file states, in bytes."""

    constants: int  # of all stored tensors
    largest_value: int  # of the largest input, output or intermediate value; open axes count as 1


class ExternalTensor(NamedTuple):
    """Where a tensor is stored outside the .onnx file, as stated in that file."""

    name: str
    location: str  # a path relative to the model's folder, not checked
    offset: int
    length: int | None  # None if not stated
    size: int | None  # bytes by its shape and type; None if the type is unknown

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.offset + (self.length or self.size or 0)


def external_tensors(path: Path) -> Iterator[ExternalTensor]:
    """Yield a model's external tensors in the order of the file.

    Raise OSError if the file cannot be read. Raise ValueError if it is not a complete .onnx file or has more than
    MAX_FIELDS fields. Raise it also if a tensor does not have one location, or its offset or length is not a number.
    """
    with mapped(path, MAX_FILE_BYTES) as data:
        yield from _Reader(data).external()


def external_locations(path: Path) -> list[str]:
    """Return the locations of a model's external tensors, each once. Raise OSError or ValueError as above."""
    return list(dict.fromkeys(tensor.location for tensor in external_tensors(path)))


def stated_sizes(path: Path) -> TensorSizes:
    """Return the stated sizes of tensors and values, which may be wrong. Raise OSError or ValueError as above."""
    with mapped(path, MAX_FILE_BYTES) as data:
        return _Reader(data).sizes()


class _Reader(MessageReader):
    """The messages of a model that lead to its tensors."""

    _texts = 0

    def external(self) -> Iterator[ExternalTensor]:
        """Yield every external tensor."""
        for message, start, end in self._messages():
            if message == _TENSOR and (found := self._external(start, end)) is not None:
                yield found

    def sizes(self) -> TensorSizes:
        """Return the sizes of tensors and values that the file states."""
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

    def _external(self, start: int, end: int) -> ExternalTensor | None:
        """Return where a tensor is stored; None if it is in this file."""
        external, name, entries = False, "", dict[bytes, bytes]()
        for number, kind, first, last in self.fields(start, end):
            if number == _DATA_LOCATION and kind == VARINT:
                external = self.varint(first, last)[0] == _EXTERNAL
            elif number == _NAME and kind == LENGTH:
                name = self.text(first, min(last, first + _MAX_KEY))
            elif number == _EXTERNAL_DATA and kind == LENGTH:
                key, value = self._entry(first, last)
                if key == b"location" and key in entries:
                    raise ValueError("an external tensor with two locations")
                entries[key] = value
        if not external:
            return None
        location = os.fsdecode(entries.get(b"location", b""))
        if not location or "\0" in location:
            raise ValueError("an external tensor without a location")
        self._texts += len(location) + len(name)
        if self._texts > MAX_TEXTS:
            raise ValueError(f"more than {MAX_TEXTS:,} bytes of names of external tensors")
        offset, length = (_number(entries.get(key, b"0")) for key in (b"offset", b"length"))
        bits, count = self._shape(start, end)
        size = None if bits is None else -(-bits * count // 8)
        return ExternalTensor(name, location, offset, length or None, size)  # ONNX Runtime treats 0 as not stated

    def _entry(self, start: int, end: int) -> tuple[bytes, bytes]:
        """Return key and value of a StringStringEntryProto; raise ValueError if they are too long."""
        entry = {_KEY: b"", _VALUE: b""}
        for number, kind, first, last in self.fields(start, end):
            if kind == LENGTH and number in entry:
                if last - first > (_MAX_KEY if number == _KEY else _MAX_VALUE):
                    raise ValueError(f"an external tensor with a name of {last - first:,} bytes")
                entry[number] = bytes(self.data[first:last])
        return entry[_KEY], entry[_VALUE]

    def _tensor_bytes(self, start: int, end: int) -> int:
        bits, count = self._shape(start, end)
        return -(-(bits or _OTHER_BITS) * count // 8)

    def _shape(self, start: int, end: int) -> tuple[int | None, int]:
        """Return the bits per value of a tensor, None if unknown, and the number of its values."""
        sizes, item = list[int](), None
        for number, kind, first, last in self.fields(start, end):
            if number == _DIMS and kind == VARINT:
                sizes.append(self.varint(first, last)[0])
            elif number == _DIMS and kind == LENGTH:
                place = first
                while place < last and len(sizes) <= _MAX_AXES:
                    size, place = self.varint(place, last)
                    sizes.append(size)
            elif number == _DATA_TYPE and kind == VARINT:
                item = _ITEM_BITS.get(self.varint(first, last)[0])
        return item, _product(sizes)

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
                    bits = _ITEM_BITS.get(item[-1] if item else 1, _OTHER_BITS)
                    largest = max(largest, bits * _product(sizes) // 8)
        return largest


def _number(text: bytes) -> int:
    """Return an offset or length; raise ValueError for anything except decimal digits."""
    if not text.isdigit() or len(text) > _MAX_DIGITS:
        raise ValueError(f"an external tensor has the invalid position {text[:_MAX_KEY].decode('utf-8', 'replace')!r}")
    return int(text)


def _product(sizes: list[int]) -> int:
    """Return the number of values; a negative size, which has 64 bits, is an open axis."""
    return math.prod(size if size < 1 << 63 else 1 for size in sizes[:_MAX_AXES])
