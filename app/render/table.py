"""The ``Table`` record, which is rendered as text, HTML, CSV or JSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, overload

from edge_bench.app.render.escaping import one_line
from edge_bench.bench.wording import counted

__all__ = ["MAX_ROWS", "Lazy", "Table", "limited", "rows_left_out"]

#: Display limits: characters of a cell, characters of a title or note, and notes. CSV and JSON have no limits.
_MAX_CELL, _MAX_NOTE, _MAX_NOTES = 300, 4000, 1000
#: Display limit of rows: more make a page slow to open.
MAX_ROWS = 500

Record = dict[str, Any]
Made = TypeVar("Made")
Item = TypeVar("Item")


class Lazy(Sequence[Made]):
    """Results of a function for each item, computed on access because no format needs all parts of a table."""

    def __init__(self, make: Callable[[Item], Made], items: Sequence[Item]) -> None:
        self._make, self._items = make, items

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, key: int) -> Made: ...
    @overload
    def __getitem__(self, key: slice) -> "Lazy[Made]": ...
    def __getitem__(self, key: int | slice) -> "Made | Lazy[Made]":
        """Return the result at a position, or those of a slice."""
        return Lazy(self._make, self._items[key]) if isinstance(key, slice) else self._make(self._items[key])


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
    """Return the table for display: each text on one line and shortened, at most 500 rows and 1,000 notes.

    A note gives the number of omitted rows and notes.
    """
    notes = [one_line(note, _MAX_NOTE) for note in table.notes[:_MAX_NOTES]]
    if len(table.notes) > _MAX_NOTES:
        notes.append(f"and {len(table.notes) - _MAX_NOTES:,} more notes")
    if rows := rows_left_out(table):
        notes.insert(0, rows)
    return replace(
        table,
        title=one_line(table.title, _MAX_NOTE),
        rows=[[one_line(cell, _MAX_CELL) for cell in row] for row in table.rows[:MAX_ROWS]],
        notes=notes,
        groups=[one_line(group, _MAX_CELL) for group in table.groups[:MAX_ROWS]],
    )


def rows_left_out(table: Table) -> str:
    """Return a note about rows that are not displayed; empty if all are."""
    left_out = len(table.rows) - MAX_ROWS
    return f"{counted(left_out, 'more row')}: see the CSV or JSON output" if left_out > 0 else ""
