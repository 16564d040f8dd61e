"""How an answer is laid out in a terminal: sentences, then a table, then notes."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from edge_bench.app.render.formats import Format
from edge_bench.app.render.table import Table, limited
from edge_bench.app.render.text.table import render
from edge_bench.app.render.text.wrapping import wrapped

__all__ = ["UNLIMITED", "all_notes", "full_table", "laid_out"]

#: Wide enough that no sentence is shortened.
UNLIMITED = 10_000


def laid_out(
    sentences: Sequence[str],
    short: Callable[[], Sequence[Sequence[str]]],
    notes: Callable[[], Sequence[str]],
    tables: Sequence[Table],
    width: int | None,
    *,
    wide: bool = False,
    why: bool = False,
    causes: Table | None = None,
    explained: Sequence[str] = (),
) -> str:
    """Return the lines of an answer, with an empty line between its parts.

    short, notes: the short table and the few notes, made if they are shown
    wide: ``tables``, which have all columns, instead of the short table; in blocks of ``width`` characters, unless None
    why: all notes of ``tables`` instead of the few
    explained: sentences about operators, below the tables
    causes: with ``why``, its title and notes follow the other notes; if it is among ``tables``, it is not shown there
    """
    last = list(causes.notes) if why and causes else []
    tables = [table for table in tables if not last or list(table.notes) != last]
    blocks = [full_table(table, width) for table in tables] if wide else short()
    notes_of_tables = all_notes(tables) if why else []
    explained = [sentence for sentence in explained if sentence not in notes_of_tables]
    parts = [sentences, *blocks, _wrapped(explained, width), _wrapped(notes_of_tables, width) if why else notes()]
    if causes and last:
        parts.append(_wrapped([causes.title, *last], width))
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def full_table(table: Table, width: int | None) -> list[str]:
    """Return the lines of a table with all columns, without its notes."""
    return render(replace(table, notes=()), Format.TABLE, width).split("\n")


def _wrapped(notes: Sequence[str], width: int | None) -> list[str]:
    return list(notes) if width is None else [line for note in notes for line in wrapped(note, width)]


def all_notes(tables: Sequence[Table]) -> list[str]:
    """Return every note of the tables, each once."""
    return list(dict.fromkeys(note for table in tables for note in limited(table).notes))
