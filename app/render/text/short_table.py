"""Render a ShortTable in a given width."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from tabulate import tabulate

from edge_bench.app.render.escaping import one_line
from edge_bench.app.render.short_table import CHEAP, SHORTEST_NAME, Column, ShortTable
from edge_bench.app.render.text.terminal import DEFAULT_WIDTH
from edge_bench.app.render.text.wrapping import middle_shortened, text_width, wrapped

__all__ = ["columns_that_fit", "fits", "short_table_lines"]

_GAP, _MARK = 2, 2
#: Maximum length of names before other columns are reduced.
_LONG_NAME = 24
#: Part of headings of columns with intervals.
_INTERVAL = "[95 %]"


def short_table_lines(table: ShortTable, width: int) -> list[str]:
    """Return the lines of the table and of its title, reduced to ``width`` characters.

    If that is less than usual, a last line names the columns that are left out.
    """
    columns, left_out = _reduced([_on_one_line(column) for column in table.columns], width)
    if any(column.group for column in columns):
        columns = _with_room_for_groups(list(map(_first_line_as_group, columns)))
    height = max(column.header.count("\n") for column in columns) + 1
    # as a row, because tabulate pads headers by two characters
    header = ["\n" * (height - 1 - column.header.count("\n")) + column.header for column in columns]
    rows = zip(*(column.cells for column in columns), strict=True)
    aligned = ["right" if column.right else "left" for column in columns]
    # whitespace of headers widens columns for their group
    lines = tabulate(
        [header, *rows], tablefmt="plain", disable_numparse=True, colalign=aligned, preserve_whitespace=True
    ).split("\n")
    marks = [*" " * height, *table.marks]
    body = [f"{mark or ' '} {line}".rstrip() for mark, line in zip(marks, lines, strict=True)]
    groups = [_group_line(columns)] if any(column.group for column in columns) else []
    rest = wrapped(f"  not shown: {', '.join(left_out)} (--wide)", width) if left_out and width < DEFAULT_WIDTH else []
    return [*(wrapped(table.title, width) if table.title else []), *groups, *body, *rest]


def _grouped(columns: Sequence[Column]) -> list[tuple[str, list[Column]]]:
    return [(group, list(members)) for group, members in groupby(columns, key=lambda column: column.group)]


def _first_line_as_group(column: Column) -> Column:
    """Return a column without a group whose heading begins in the line of the others' groups."""
    first, newline, rest = column.header.partition("\n")
    return replace(column, header=rest, group=first) if newline and not column.group else column


def _needed(columns: Sequence[Column]) -> int:
    return sum(map(_width, columns)) + _GAP * (len(columns) - 1)


def _with_room_for_groups(columns: Sequence[Column]) -> list[Column]:
    """Return the columns, of which the first of each group is wide enough for the group's heading."""
    found = []
    for group, members in _grouped(columns):
        missing = text_width(group) - _needed(members)
        if missing > 0:
            first = members[0]
            padding = " " * (missing + _width(first) - text_width(first.header))
            members[0] = replace(first, header=f"{padding}{first.header}")
        found += members
    return found


def _group_line(columns: Sequence[Column]) -> str:
    """Return the line of the groups' headings, each centred over its columns, or aligned with a single one."""
    parts = []
    for group, members in _grouped(columns):
        spare = _needed(members) - text_width(group)
        left = spare if len(members) == 1 and members[0].right else spare // 2
        parts.append(f"{' ' * left}{group}{' ' * (spare - left)}")
    return f"{' ' * _MARK}{(' ' * _GAP).join(parts)}".rstrip()


def fits(columns: Sequence[Column], width: int) -> bool:
    """Return whether the columns need at most ``width`` characters, without any reduction."""
    groups = _grouped(columns)
    needed = sum(max(_needed(members), text_width(group)) for group, members in groups)
    return _MARK + needed + _GAP * (len(groups) - 1) <= width


def columns_that_fit(columns: Sequence[Column], width: int) -> list[Column]:
    """Return the columns, reduced one by one until they fit. Names are cut after `CHEAP` reductions, before others."""
    return _reduced(columns, width)[0]


def _reduced(columns: Sequence[Column], width: int) -> tuple[list[Column], list[str]]:
    """Return the columns that fit, and the names of those that are left out, ``intervals`` included."""
    found = [_shrunk(column, _LONG_NAME) for column in columns]
    steps = [(column.narrowed, number, True) for number, column in enumerate(columns) if column.narrowed]
    steps += [(column.dropped, number, False) for number, column in enumerate(columns) if column.dropped]
    hidden, left_out = set[int](), dict[str, None]()
    for priority, number, narrows in sorted(steps, reverse=True):
        shown = [column for position, column in enumerate(found) if position not in hidden]
        if fits(shown, width):
            return shown, list(left_out)
        if priority < CHEAP and (names := _with_shorter_names(shown, width)) is not None:
            return names, list(left_out)
        column = found[number]
        if narrows and column.narrow:
            found[number] = replace(column, header=column.narrow[0], cells=column.narrow[1])
            if _INTERVAL in column.header and _INTERVAL not in column.narrow[0]:
                left_out["intervals"] = None
        elif not narrows:
            hidden.add(number)
            left_out[" ".join(columns[number].header.replace("~", "").split())] = None
    shown = [column for position, column in enumerate(found) if position not in hidden]
    shortest = [_shrunk(each, SHORTEST_NAME, least=0) for each in shown]
    return _with_shorter_names(shown, width) or shortest, list(left_out)


def _with_shorter_names(columns: Sequence[Column], width: int) -> list[Column] | None:
    """Return the columns with names cut until all fit; None if a name would become too short."""
    for limit in range(_LONG_NAME, SHORTEST_NAME - 1, -1):
        shorter = [_shrunk(column, limit) for column in columns]
        if fits(shorter, width):
            return shorter
    return None


def _shrunk(column: Column, limit: int, least: int | None = None) -> Column:
    """Return the column with cells of at most ``limit`` characters, or ``least``, if they may be shortened."""
    if not column.shrinks_to:
        return column
    most = max(limit, column.shrinks_to if least is None else least)
    return replace(column, cells=[middle_shortened(cell, most) for cell in column.cells])


def _on_one_line(column: Column) -> Column:
    return replace(
        column,
        header="\n".join(one_line(line) for line in column.header.split("\n")),
        group=one_line(column.group),
        cells=[one_line(cell) for cell in column.cells],
        narrow=column.narrow and (column.narrow[0], [one_line(cell) for cell in column.narrow[1]]),
    )


def _width(column: Column) -> int:
    return max(text_width(line) for text in [column.header, *column.cells] for line in text.split("\n"))
