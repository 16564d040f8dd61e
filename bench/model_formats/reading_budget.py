"""Limit on how much of an untrusted Flatbuffers file is read."""

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["MAX_TABLES", "ReadingBudget"]

#: Limit on tensors, operators and buffers together, which take about 5 s to read. Language models have about 10,000.
MAX_TABLES = 200_000
#: Limit on the bytes of all shapes, lists of tensors and names together, so that a large file takes no more memory.
MAX_BYTES = 32 << 20


class ReadingBudget:
    """Limit on how much of a file is read.

    Many offsets may point to the same part, so that a small file can appear to have billions of parts.
    """

    def __init__(self, size: int) -> None:
        self._tables, self._bytes = MAX_TABLES, min(4 * size + 1024, MAX_BYTES)

    def take(self, count: int, part: Callable[[int], Any]) -> Iterator[Any]:
        """Return the parts of a vector of tables; raise ValueError if there are too many in the file."""
        self._tables -= count
        if self._tables < 0:
            raise ValueError(f"more than {MAX_TABLES:,} parts")
        return (part(number) for number in range(count))

    def integers(self, values: Any) -> tuple[int, ...]:
        """Return a vector of integers from the generated reader, which returns 0 for a missing vector."""
        if isinstance(values, int):
            return ()
        self._spend(values.nbytes)
        return tuple(int(value) for value in values)

    def text(self, value: bytes | None) -> str:
        """Return a decoded string, empty for None."""
        self._spend(len(value or b""))
        return (value or b"").decode("utf-8", "replace")

    def _spend(self, size: int) -> None:
        self._bytes -= size
        if self._bytes < 0:
            raise ValueError("a part is longer than the file or its limit")
