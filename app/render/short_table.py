"""The ``ShortTable`` record: a table that is reduced until it fits a width."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["CHEAP", "Column", "ShortTable"]

#: Reductions from this number on are made before names are shortened.
CHEAP = 8


@dataclass(frozen=True)
class Column:
    """A column; ``header`` may have several lines."""

    header: str
    cells: Sequence[str]
    right: bool = True  # alignment
    shrinks: bool = False  # whether cells may be shortened in the middle
    narrow: tuple[str, Sequence[str]] | None = None  # header and cells that take less room
    #: The first columns to be reduced have the highest numbers: to ``narrow`` if there is one, then they are left out.
    narrowed: int = 0
    dropped: int = 0  # 0: never


@dataclass(frozen=True)
class ShortTable:
    """A table for a terminal, with a mark before each row."""

    title: str
    columns: Sequence[Column]
    marks: Sequence[str]  # one character for each row, or none
