"""Render a Table for a terminal, or as Markdown, CSV, JSON or HTML."""

from collections.abc import Sequence
from typing import Any

from tabulate import tabulate

from edge_bench.app.render.escaping import csv_line, json_line, json_text, markdown_text
from edge_bench.app.render.formats import Format
from edge_bench.app.render.table import Table, limited
from edge_bench.app.render.text.wrapping import text_width, wrapped

__all__ = ["render"]


def render(table: Table, form: Format, width: int | None = None) -> str:
    """Return the table as text, with its notes below; ``width`` is in characters, None for no limit."""
    match form:
        case Format.JSON:
            return json_text(list(table.records))
        case Format.JSONL:
            return "\n".join(map(json_line, table.records))
        case Format.CSV:
            return _as_csv(table.records)
        case Format.HTML:
            from edge_bench.app.render.html.table import table_page

            return table_page([table])
        case Format.MARKDOWN:
            return _as_markdown(limited(table))
        case Format.TABLE:
            table = limited(table)
            blocks = [_grid(table, columns) for columns in _columns_that_fit(table, width)]
            title, notes = _texts([table.title], width), _texts(table.notes, width)
            return "\n\n".join([title, *blocks, *([notes] if notes else [])])


def _texts(texts: Sequence[str], width: int | None) -> str:
    """Return lines of texts, wrapped with hanging indents if there is a width."""
    return "\n".join(texts if width is None else (line for text in texts for line in wrapped(text, width)))


def _as_markdown(table: Table) -> str:
    header = [markdown_text(name) for name in table.header]
    rows = [[markdown_text(cell) for cell in row] for row in table.rows]
    body = tabulate(rows, header, tablefmt="github", disable_numparse=True)
    return "\n\n".join([f"**{markdown_text(table.title)}**", body, *map(markdown_text, table.notes)])


def _grid(table: Table, columns: Sequence[int]) -> str:
    rows = [[row[column] for column in columns] for row in table.rows]
    header = [table.header[column] for column in columns]
    return tabulate(rows, header, tablefmt="simple", disable_numparse=True)


def _columns_that_fit(table: Table, width: int | None) -> list[list[int]]:
    """Return the columns of each block: one block of all columns, or several that each start with the key columns."""
    columns = list(range(len(table.header)))
    if width is None:
        return [columns]
    # tabulate pads every header by two
    widths = [
        max(_text_width(table.header[column]) + 2, *(_text_width(row[column]) for row in table.rows), 0)
        for column in columns
    ]
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


def _as_csv(records: Sequence[dict[str, Any]]) -> str:
    records = list(records)
    if not records:
        return ""
    # CSV has no nested values; lists and objects are in the JSON only
    names = dict.fromkeys(name for record in records for name in record)  # rows may be of several kinds
    columns = [name for name in names if not any(isinstance(record.get(name), list | dict) for record in records)]
    return "\n".join(csv_line(line) for line in [columns, *(map(record.get, columns) for record in records)])
