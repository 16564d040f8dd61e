"""Render a ShortTable in a given width."""

from collections.abc import Sequence
from dataclasses import replace

from tabulate import tabulate

from edge_bench.app.render.escaping import one_line
from edge_bench.app.render.short_table import CHEAP, Column, ShortTable
from edge_bench.app.render.text.wrapping import middle_shortened, text_width, wrapped

__all__ = ["columns_that_fit", "fits", "short_table_lines"]

_GAP, _MARK = 2, 2
#: Maximum length of names before other columns are reduced, and the shortest length that names are cut to.
_LONG_NAME, _SHORT_NAME = 24, 10


def short_table_lines(table: ShortTable, width: int) -> list[str]:
    """Return the lines of the table and of its title, reduced to ``width`` characters."""
    columns = columns_that_fit([_on_one_line(column) for column in table.columns], width)
    height = max(column.header.count("\n") for column in columns) + 1
    # as a row, because tabulate pads headers by two characters
    header = ["\n" * (height - 1 - column.header.count("\n")) + column.header for column in columns]
    rows = zip(*(column.cells for column in columns), strict=True)
    aligned = ["right" if column.right else "left" for column in columns]
    lines = tabulate([header, *rows], tablefmt="plain", disable_numparse=True, colalign=aligned).split("\n")
    marks = [*" " * height, *table.marks]
    body = [f"{mark or ' '} {line}".rstrip() for mark, line in zip(marks, lines, strict=True)]
    return [*(wrapped(table.title, width) if table.title else []), *body]


def fits(columns: Sequence[Column], width: int) -> bool:
    """Return whether the columns need at most ``width`` characters, without any reduction."""
    return _MARK + sum(map(_width, columns)) + _GAP * (len(columns) - 1) <= width


def columns_that_fit(columns: Sequence[Column], width: int) -> list[Column]:
    """Return the columns, reduced one by one until they fit. Names are cut after `CHEAP` reductions, before others."""
    found = [_shrunk(column, _LONG_NAME) if column.shrinks else column for column in columns]
    steps = [(column.narrowed, number, True) for number, column in enumerate(columns) if column.narrowed]
    steps += [(column.dropped, number, False) for number, column in enumerate(columns) if column.dropped]
    hidden = set[int]()
    for priority, number, narrows in sorted(steps, reverse=True):
        shown = [column for position, column in enumerate(found) if position not in hidden]
        if fits(shown, width):
            return shown
        if priority < CHEAP and (names := _with_shorter_names(shown, width)) is not None:
            return names
        column = found[number]
        if narrows and column.narrow:
            found[number] = replace(column, header=column.narrow[0], cells=column.narrow[1])
        elif not narrows:
            hidden.add(number)
    shown = [column for position, column in enumerate(found) if position not in hidden]
    return _with_shorter_names(shown, width) or [_shrunk(each, _SHORT_NAME) if each.shrinks else each for each in shown]


def _with_shorter_names(columns: Sequence[Column], width: int) -> list[Column] | None:
    """Return the columns with names cut until all fit; None if a name would become too short."""
    for limit in range(_LONG_NAME, _SHORT_NAME - 1, -1):
        shorter = [_shrunk(column, limit) if column.shrinks else column for column in columns]
        if fits(shorter, width):
            return shorter
    return None


def _shrunk(column: Column, limit: int) -> Column:
    return replace(column, cells=[middle_shortened(cell, limit) for cell in column.cells])


def _on_one_line(column: Column) -> Column:
    return replace(
        column,
        header="\n".join(one_line(line) for line in column.header.split("\n")),
        cells=[one_line(cell) for cell in column.cells],
        narrow=column.narrow and (column.narrow[0], [one_line(cell) for cell in column.narrow[1]]),
    )


def _width(column: Column) -> int:
    return max(text_width(line) for text in [column.header, *column.cells] for line in text.split("\n"))
