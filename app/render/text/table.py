"""Render a Table for a terminal, or as Markdown, CSV, JSON or HTML."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tabulate import tabulate

from edge_bench.app.render.escaping import csv_line, json_array_lines, json_line, markdown_text
from edge_bench.app.render.formats import FOR_PROGRAMS, Format
from edge_bench.app.render.table import Table, limited
from edge_bench.app.render.text.wrapping import middle_shortened, text_width, wrapped

__all__ = ["render", "rendered_lines"]

#: Characters between columns, and the fewest to which the last column is wrapped before a table is split into blocks.
_GAP, _NARROWEST = 2, 24
#: Names in key columns are not cut further.
_SHORTEST = 10


def render(table: Table, form: Format, width: int | None = None) -> str:
    """Return the table as text, with its notes below; ``width`` is in characters, None for no limit."""
    if form in FOR_PROGRAMS:
        return "\n".join(rendered_lines(table, form))
    match form:
        case Format.HTML:
            from edge_bench.app.render.html.table import table_page

            return table_page([table])
        case Format.MARKDOWN:
            return _as_markdown(limited(table))
        case Format.TABLE:
            table = _with_keys_that_fit(limited(table), width)
            blocks = [_grid(table, columns, width) for columns in _columns_that_fit(table, width)]
            title, notes = _texts([table.title], width), _texts(table.notes, width)
            return "\n\n".join([title, *blocks, *([notes] if notes else [])])
    raise ValueError(form)


def rendered_lines(table: Table, form: Format) -> Iterator[str]:
    """Yield the lines of a format for programs one by one, because there may be 100,000 records."""
    match form:
        case Format.JSON:
            return json_array_lines(table.records)
        case Format.JSONL:
            return map(json_line, table.records)
        case Format.CSV:
            return _csv_lines(table.records)
    raise ValueError(form)


def _texts(texts: Sequence[str], width: int | None) -> str:
    """Return lines of texts, wrapped with hanging indents if there is a width."""
    return "\n".join(texts if width is None else (line for text in texts for line in wrapped(text, width)))


def _as_markdown(table: Table) -> str:
    header = [markdown_text(name) for name in table.header]
    rows = [[markdown_text(cell) for cell in row] for row in table.rows]
    body = tabulate(rows, header, tablefmt="github", disable_numparse=True)
    return "\n\n".join([f"**{markdown_text(table.title)}**", body, *map(markdown_text, table.notes)])


def _grid(table: Table, columns: Sequence[int], width: int | None) -> str:
    rows = [[row[column] for column in columns] for row in table.rows]
    header = [table.header[column] for column in columns]
    if width is not None:
        # the last column may be text, such as a list of reasons
        room = max(width - sum(_widths(table)[column] + _GAP for column in columns[:-1]), _NARROWEST)
        rows = [[*row[:-1], _in_lines(row[-1], room)] for row in rows]
    return tabulate(rows, header, tablefmt="simple", disable_numparse=True)


def _in_lines(cell: str, width: int) -> str:
    """Return the cell in lines of at most ``width`` characters; words that are longer are shortened in the middle."""
    if _text_width(cell) <= width:
        return cell
    words = [middle_shortened(word, width) for word in cell.split(" ")]
    return "\n".join(wrapped(" ".join(words), width, indent=""))


def _with_keys_that_fit(table: Table, width: int | None) -> Table:
    """Return the table with key columns that leave room for another column; long names are shortened in the middle."""
    if width is None:
        return table
    for limit in (300, *range(40, _SHORTEST - 1, -1)):
        rows = [
            [*(middle_shortened(cell, limit) for cell in row[: table.keys]), *row[table.keys :]] for row in table.rows
        ]
        shorter = replace(table, rows=rows)
        if sum(each + _GAP for each in _widths(shorter)[: table.keys]) + _NARROWEST <= width:
            break
    return shorter


def _widths(table: Table) -> list[int]:
    """Return the width of each column; tabulate pads every header by two."""
    return [
        max(_text_width(name) + 2, *(_text_width(row[column]) for row in table.rows), 0)
        for column, name in enumerate(table.header)
    ]


def _columns_that_fit(table: Table, width: int | None) -> list[list[int]]:
    """Return the columns of each block: one block of all columns, or several that each start with the key columns."""
    columns = list(range(len(table.header)))
    if width is None:
        return [columns]
    widths = _widths(table)
    widths[-1] = min(widths[-1], max(_NARROWEST, _text_width(table.header[-1]) + 2))
    keys = columns[: table.keys]
    blocks, block = [], list(keys)
    for column in columns[table.keys :]:
        if len(block) > len(keys) and sum(widths[c] + 2 for c in [*block, column]) - 2 > width:
            blocks.append(block)
            block = list(keys)
        block.append(column)
    return [*blocks, block]


def _text_width(cell: str) -> int:
    return max((text_width(line) for line in cell.split("\n")), default=0)


def _csv_lines(records: Sequence[dict[str, Any]]) -> Iterator[str]:
    names, nested = dict[str, None](), set[str]()
    for record in records:  # rows may be of several kinds
        names |= dict.fromkeys(record)
        # CSV has no nested values; lists and objects are in the JSON only
        nested |= {name for name, value in record.items() if isinstance(value, list | dict)}
    columns = [name for name in names if name not in nested]
    if names:
        yield csv_line(columns)
    for record in records:
        yield csv_line(map(record.get, columns))
