"""Long tables are shortened for people, with a note; programs get all rows."""

import csv
import io
import json

import pytest

from edge_bench.app.render.escaping import json_text
from edge_bench.app.render.formats import Format
from edge_bench.app.render.table import MAX_ROWS, Lazy, Table
from edge_bench.app.render.text.table import render, rendered_lines

ROWS = MAX_ROWS + 2_345


def long_table(made: list[int], rows: int = ROWS) -> Table:
    def cells(number: int) -> list[str]:
        made.append(number)
        return [f"name{number}", str(number)]

    numbers = range(rows)
    records = [{"name": f"name{number}", "number": number} for number in numbers]
    return Table(title="many", header=["name", "number"], rows=Lazy(cells, numbers), keys=1, records=records)


@pytest.mark.parametrize("form", [Format.TABLE, Format.MARKDOWN, Format.HTML])
def test_displayed_rows_are_limited_and_the_rest_is_counted(form: Format) -> None:
    made: list[int] = []
    text = render(long_table(made), form)
    assert made == list(range(MAX_ROWS))  # no others are made
    assert f"name{MAX_ROWS - 1}" in text
    assert f"name{MAX_ROWS}" not in text
    assert text.count(f"{ROWS - MAX_ROWS:,} more rows") == 1
    assert "more rows" not in render(long_table([], MAX_ROWS), form)


def test_programs_get_all_rows() -> None:
    table = long_table([])
    assert len(json.loads(render(table, Format.JSON))) == ROWS
    assert len(list(csv.reader(io.StringIO(render(table, Format.CSV))))) == ROWS + 1


@pytest.mark.parametrize("form", [Format.JSON, Format.JSONL])
def test_programs_get_records_one_by_one(form: Format) -> None:
    made: list[int] = []

    def record(number: int) -> dict[str, object]:
        made.append(number)
        return {"name": f"name{number}\n", "nested": [number, {}], "empty": []}

    table = Table(title="many", header=[], rows=[], keys=0, records=Lazy(record, range(9)))
    lines = rendered_lines(table, form)
    next(lines)
    assert made == [0]  # the others are not in memory
    list(lines)
    assert made == list(range(9))
    assert render(table, Format.JSON) == json_text(list(table.records))
    assert render(Table(title="none", header=[], rows=[], keys=0), Format.JSON) == json_text([])
