"""The ``ShortTable`` record: a table that is reduced until it fits a width."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["CHEAP", "SHORTEST_NAME", "Column", "ShortTable"]

#: Characters to which names are shortened at most.
SHORTEST_NAME = 10

#: Reductions with this priority or a higher one are made before names are shortened.
CHEAP = 8


@dataclass(frozen=True)
class Column:
    """A column; ``header`` may have several lines. Adjacent columns of one ``group`` have it as a common heading."""

    header: str
    cells: Sequence[str]
    right: bool = True  # alignment
    shrinks_to: int = 0  # characters to which cells may be shortened in the middle; 0: they may not
    narrow: tuple[str, Sequence[str]] | None = None  # shorter header and cells
    #: Priorities of replacing the column by ``narrow`` and of dropping it. The highest comes first, 0 is never.
    narrowed: int = 0
    dropped: int = 0
    group: str = ""


@dataclass(frozen=True)
class ShortTable:
    """A table for a terminal, with a mark before each row."""

    title: str
    columns: Sequence[Column]
    marks: Sequence[str]  # one character per row, or an empty string
