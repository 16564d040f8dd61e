"""Long tables are shortened for people, with a note; programs get all rows."""

import csv
import io
import json

import pytest

from edge_bench.app.render.formats import Format
from edge_bench.app.render.table import MAX_ROWS, Lazy, Table
from edge_bench.app.render.text.table import render

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
