"""Tables as text for wide and narrow terminals, as CSV, JSON and Markdown."""

import csv
import io
import json

import msgspec

from edge_bench.app.render.formats import Format
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.table import render
from edge_bench.app.render.units import significant, with_interval
from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import Configuration, Failure, Result
from edge_bench.bench.stats.intervals import Interval
from tests.factories import result, run

TABLE = Table(
    title="a title",
    header=("variant", "first figure", "second figure", "third figure"),
    rows=[("dynamic", "1.00 ± 0.01", "2.00 ± 0.02", "3.00 ± 0.03"), ("int8", "4", "5", "6")],
    keys=1,
    notes=["a note"],
    records=[{"variant": "dynamic", "value": 1.0}, {"variant": "int8", "value": None}],
)


def test_a_table_too_wide_for_the_terminal_is_split_into_blocks_that_repeat_the_keys() -> None:
    wide = render(TABLE, Format.TABLE)
    assert wide.count("dynamic") == 1
    narrow = render(TABLE, Format.TABLE, width=44)
    assert max(len(line) for line in narrow.splitlines()) <= 44
    assert narrow.count("dynamic") == 2
    for cell in [*TABLE.rows[0], *TABLE.rows[1], "a title", "a note"]:
        assert cell in narrow


def test_text_in_the_last_column_is_wrapped_and_long_names_are_shortened() -> None:
    long = "serving_default_" * 8
    reason = " ".join(f"word{number}" for number in range(40))
    table = Table(
        "t", ("", "runtime", "loads the model"), [("a", "litert", reason), (long, "litert", f"no: {long}")], 2
    )
    for width in (60, 80):
        text = render(table, Format.TABLE, width)
        assert max(map(len, text.split("\n"))) <= width
        assert set(reason.split()) <= set(text.split())
        assert text.count("loads the model") == 1
    assert long in render(table, Format.TABLE)


def test_csv_and_json_have_unformatted_numbers() -> None:
    rows = list(csv.DictReader(io.StringIO(render(TABLE, Format.CSV))))
    assert rows == [{"variant": "dynamic", "value": "1.0"}, {"variant": "int8", "value": ""}]
    assert json.loads(render(TABLE, Format.JSON)) == TABLE.records


def test_markdown_has_the_title_the_table_and_the_notes() -> None:
    text = render(TABLE, Format.MARKDOWN)
    assert "| dynamic" in text
    assert "**a title**" in text
    assert text.endswith("a note")


def test_numbers_have_three_significant_digits_and_no_exponent() -> None:
    assert [significant(value) for value in (0, 1234.5, 12.345, 1.2345, 0.00012345)] == [
        "0", "1,234", "12.3", "1.23", "0.000123",
    ]  # fmt: skip
    assert with_interval(1.2345, Interval(1.2, 1.3)) == "1.23 [1.20, 1.30]"


def test_configurations_that_failed_for_the_same_reason_share_a_note() -> None:
    failure = Failure(kind="not installed", message="there is no wheel", remedy="use litert")
    failed = [
        Result(
            configuration=Configuration(variant=variant, runtime="tflite-runtime", threads=1, batch_size=1),
            bytes=1, sha256="", failure=failure,
        )
        for variant in ("float32", "dynamic")
    ]  # fmt: skip
    table = run_table(run(*failed))
    (line,) = (note for note in table.notes if "no wheel" in note)
    assert all(str(each.configuration) in line for each in failed)
    assert "use litert" in line


def test_top_5_accuracy_has_a_column_if_there_are_enough_classes() -> None:
    seen = msgspec.structs.replace(result("dynamic", "litert", 1.0, wrong=50), in_top_5=pack([1] * 80 + [0] * 20))
    few = run(seen)
    many = msgspec.structs.replace(few, bundle=msgspec.structs.replace(few.bundle, classes=[str(n) for n in range(20)]))
    without, table = run_table(few), run_table(many)
    assert not any(cell.startswith("80.00 [") for cell in without.rows[0])
    assert any(cell.startswith("80.00 [") for cell in table.rows[0])
    assert len(table.header) == len(without.header) + 1
    assert table.records[0]["top_5_accuracy"] == 0.8
    assert few.correct_in_top_5(seen) == (80, 100)
