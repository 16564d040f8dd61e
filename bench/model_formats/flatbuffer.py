"""Reader of Flatbuffers tables that checks every offset, for schemas without a generated reader."""

import mmap
import struct
from collections.abc import Iterator

__all__ = ["FlatTable", "root_table"]

#: Limit on tables, strings and vectors of one file, since many offsets may point to the same part.
MAX_PARTS = 200_000
#: Limit on the bytes of all strings and vectors of numbers together.
MAX_BYTES = 64 << 20


class _Content:
    def __init__(self, content: bytes | mmap.mmap) -> None:
        self.bytes, self._parts, self._read = content, 0, 0

    def number(self, form: str, position: int) -> int:
        """Return the little-endian number at a position; raise ValueError outside the content."""
        if not 0 <= position <= len(self.bytes) - struct.calcsize(form):
            raise ValueError("an offset points outside the file")
        return int(struct.unpack_from(form, self.bytes, position)[0])

    def follow(self, position: int) -> int:
        """Return the position that the offset at a position points to."""
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise ValueError(f"more than {MAX_PARTS:,} parts")
        return position + self.number("<I", position)

    def span(self, position: int, size: int) -> bytes:
        """Return ``size`` bytes."""
        self._read += size
        if not 0 <= position <= len(self.bytes) - size or self._read > MAX_BYTES:
            raise ValueError("a part is longer than the file")
        return self.bytes[position : position + size]


class FlatTable:
    """A table; its fields are numbered as in its schema. Every method raises ValueError if the content is damaged."""

    def __init__(self, content: _Content, position: int) -> None:
        self._content, self._position = content, position
        self._fields = position - content.number("<i", position)
        self._size = content.number("<H", self._fields)

    def _field(self, number: int) -> int | None:
        """Return the position of a field; None if it is not stored."""
        place = 4 + 2 * number
        if place + 2 > self._size:
            return None
        offset = self._content.number("<H", self._fields + place)
        return self._position + offset if offset else None

    def integer(self, number: int, form: str = "<B", default: int = 0) -> int:
        """Return an integer of a ``struct`` form."""
        position = self._field(number)
        return default if position is None else self._content.number(form, position)

    def table(self, number: int) -> "FlatTable | None":
        """Return a table; None if it is not stored."""
        position = self._field(number)
        return None if position is None else FlatTable(self._content, self._content.follow(position))

    def tables(self, number: int) -> "Iterator[FlatTable]":
        """Return a vector of tables."""
        start, length = self._vector(number, 4)
        return (FlatTable(self._content, self._content.follow(start + 4 * each)) for each in range(length))

    def data(self, number: int) -> bytes:
        """Return a vector of bytes."""
        return self._content.span(*self._vector(number, 1))

    def text(self, number: int) -> str:
        """Return a string, empty if it is not stored. Bytes that are not UTF-8 are replaced."""
        return self.data(number).decode("utf-8", "replace")

    def floats(self, number: int) -> tuple[float, ...]:
        """Return a vector of float32."""
        start, length = self._vector(number, 4)
        return struct.unpack(f"<{length}f", self._content.span(start, 4 * length))

    def _vector(self, number: int, item_size: int) -> tuple[int, int]:
        """Return position and length of a vector that is inside the content; (0, 0) if it is not stored."""
        position = self._field(number)
        if position is None:
            return 0, 0
        start = self._content.follow(position)
        length = self._content.number("<I", start)
        if length * item_size > len(self._content.bytes) - start - 4:
            raise ValueError("a part is longer than the file")
        return start + 4, length


def root_table(content: bytes | mmap.mmap, identifier: bytes) -> FlatTable:
    """Return the root table; raise ValueError if the content has another identifier."""
    if content[4:8] != identifier:
        raise ValueError(f"its identifier is {content[4:8]!r}, not {identifier!r}")
    whole = _Content(content)
    return FlatTable(whole, whole.follow(0))
