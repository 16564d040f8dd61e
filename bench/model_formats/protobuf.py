"""Fields of untrusted protobuf messages, in pure Python, as edge devices have no classes for them.

Wire format: protobuf.dev/programming-guides/encoding.
"""

import mmap
from collections.abc import Iterator

__all__ = ["FIXED32", "FIXED64", "LENGTH", "MAX_FIELDS", "MAX_FILE_BYTES", "VARINT", "Field", "MessageReader"]

#: Limit of protobuf on the size of a message.
MAX_FILE_BYTES = 2 << 30
#: Limit on the fields read, which take about 1 s. A graph of 10,000 nodes has about 200,000.
MAX_FIELDS = 2_000_000
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5

#: Number, wire type, and start and end of its value.
Field = tuple[int, int, int, int]

_DAMAGED = "its parts are inconsistent"
_MAX_TAG = (1 << 32) - 1


class MessageReader:
    """Reads fields by position, without recursion, since nesting may be as deep as the file is long."""

    def __init__(self, data: "bytes | mmap.mmap", limit: int | None = None) -> None:
        """Prepare reading at most ``limit`` fields, MAX_FIELDS by default."""
        self.data, self._limit = data, MAX_FIELDS if limit is None else limit
        self._left = self._limit

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """Yield the fields of the message in ``data[start:end]``.

        Raise ValueError if it is damaged or more fields than the limit were read from the file.
        """
        data = self.data
        while start < end:
            self._left -= 1
            if self._left < 0:
                raise ValueError(f"more than {self._limit:,} parts")
            tag = data[start]
            if tag < 0x80:
                start += 1
            else:
                tag, start = self.varint(start, end)
            number, kind = tag >> 3, tag & 7
            if kind == LENGTH:
                length, start = self.varint(start, end)
                stop = start + length
            elif kind == VARINT:
                stop = self.varint(start, end)[1]
            elif kind in (FIXED64, FIXED32):
                stop = start + (8 if kind == FIXED64 else 4)
            else:
                raise ValueError(_DAMAGED)
            if stop > end or not number or tag > _MAX_TAG:
                raise ValueError(_DAMAGED)
            yield number, kind, start, stop
            start = stop

    def messages(self, number: int, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield start and end of every field ``number`` that has a length: messages, texts or bytes."""
        return ((first, last) for found, kind, first, last in self.fields(start, end)
                if found == number and kind == LENGTH)  # fmt: skip

    def varint(self, start: int, end: int) -> tuple[int, int]:
        """Return the unsigned number that starts at ``start``, and its end; raise ValueError if it has none."""
        value = 0
        for count in range(10):
            if start + count >= end:
                break
            byte = self.data[start + count]
            value |= (byte & 0x7F) << (7 * count)
            if byte < 0x80:
                return value, start + count + 1
        raise ValueError(_DAMAGED)

    def text(self, start: int, end: int) -> str:
        """Return the text in ``data[start:end]``. Bytes that are not UTF-8 are kept as surrogates."""
        return bytes(self.data[start:end]).decode("utf-8", "surrogateescape")
