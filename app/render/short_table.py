"""The ``ShortTable`` record: a table that is reduced until it fits a width."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["CHEAP", "Column", "ShortTable"]

#: Reductions with this priority or a higher one are made before names are shortened.
CHEAP = 8


@dataclass(frozen=True)
class Column:
    """A column; ``header`` may have several lines."""

    header: str
    cells: Sequence[str]
    right: bool = True  # alignment
    shrinks: bool = False  # whether cells may be shortened in the middle
    narrow: tuple[str, Sequence[str]] | None = None  # shorter header and cells
    #: Priorities of replacing the column by ``narrow`` and of dropping it. The highest comes first, 0 is never.
    narrowed: int = 0
    dropped: int = 0


@dataclass(frozen=True)
class ShortTable:
    """A table for a terminal, with a mark before each row."""

    title: str
    columns: Sequence[Column]
    marks: Sequence[str]  # one character per row, or an empty string
