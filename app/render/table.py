"""The ``Table`` record, which is rendered as text, HTML, CSV or JSON."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, overload

from edge_bench.app.render.escaping import one_line

__all__ = ["Records", "Table", "limited"]

#: Characters of a cell, of a title and of a note that are shown, and the number of notes. CSV and JSON have everything.
_MAX_CELL, _MAX_NOTE, _MAX_NOTES = 300, 4000, 1000

Record = dict[str, Any]


class Records(Sequence[Record]):
    """Records that are made when the first is asked for, since most formats show none."""

    def __init__(self, make: Callable[[], list[Record]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> list[Record]:
        return self._make()

    def __len__(self) -> int:
        return len(self._made)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._made)

    @overload
    def __getitem__(self, key: int) -> Record: ...
    @overload
    def __getitem__(self, key: slice) -> list[Record]: ...
    def __getitem__(self, key: int | slice) -> Record | list[Record]:
        """Return the record at a position, or those of a slice."""
        return self._made[key]


@dataclass(frozen=True)
class Table:
    """A table: formatted cells for people, and ``records`` with unformatted numbers for programs."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    keys: int  # number of leading columns that identify a row
    notes: Sequence[str] = ()
    records: Sequence[Record] = ()
    groups: Sequence[str] = ()  # the heading of each row's group; only HTML shows them, so notes repeat them


def limited(table: Table) -> Table:
    """Return the table for people to read: texts on one line each and not too long, and at most a thousand notes."""
    notes = [one_line(note, _MAX_NOTE) for note in table.notes[:_MAX_NOTES]]
    if len(table.notes) > _MAX_NOTES:
        notes.append(f"and {len(table.notes) - _MAX_NOTES:,} more notes")
    return replace(
        table,
        title=one_line(table.title, _MAX_NOTE),
        rows=[[one_line(cell, _MAX_CELL) for cell in row] for row in table.rows],
        notes=notes,
        groups=[one_line(group, _MAX_CELL) for group in table.groups],
    )
