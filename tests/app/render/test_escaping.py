"""Text that would be a command, markup, a link or a formula in an output format stays text there."""

import csv
import io
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from edge_bench.app.render.escaping import csv_line, html_text, json_text, markdown_text, one_line, visible
from edge_bench.app.render.formats import Format
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.table import render
from tests.app.render.hostile_text import HOSTILE, formula_cells

ANY_TEXT = st.one_of(
    st.text(),
    st.lists(st.sampled_from(list("|\\`*_[]()<>!#&~$:@=+-\n\t\r 'a1.;\"\x1b\u202e")), max_size=12).map("".join),
)


@pytest.mark.parametrize("code", [*range(9), *range(11, 32), *range(0x7F, 0xA0), 0xAD, 0x61C, 0x200B, 0x200D, 0x200F,
                                  0x2028, 0x2029, 0x202E, 0x2060, 0x2066, 0x3164, 0xFEFF, 0xFFFE, 0xE0041])  # fmt: skip
def test_invisible_characters_are_written_out_in_a_way_that_json_reads(code: int) -> None:
    shown = visible(f"a{chr(code)}b")
    assert shown.isascii()
    assert json.loads(f'"{shown}"') == f"a{chr(code)}b"


def test_ordinary_text_of_any_language_is_unchanged() -> None:
    text = "naïve Größe 画像 изображение ▁▂█ ± × – ≤ 😀 a\u00a0b"
    assert visible(text) == one_line(text) == text
    assert visible("two\nlines\tand a tab") == "two\nlines\tand a tab"
    assert one_line("two\nlines\tand a tab") == "two lines and a tab"
    assert visible("ni\udcf1o") == "ni\\xf1o"


def test_long_text_is_shortened_with_the_number_of_characters_left_out() -> None:
    assert one_line("x" * 50, 50) == "x" * 50
    assert one_line("x" * 1000, 50) == "x" * 21 + "… (979 more characters)"
    assert one_line(one_line("x" * 10**6, 300), 300) == one_line("x" * 10**6, 300)


@given(ANY_TEXT)
def test_html_text_is_one_text_and_one_attribute(text: str) -> None:
    found: list[object] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            found.append((tag, attributes))

        def handle_data(self, data: str) -> None:
            found.append(data)

    reader = Reader()
    reader.feed(f'<p title="{html_text(text)}">{html_text(text)}')
    reader.close()
    assert found == [("p", [("title", visible(text))]), *([visible(text)] if text else [])]


@pytest.mark.parametrize("rules", ["gfm-like", "commonmark"])
@given(text=ANY_TEXT)
def test_markdown_text_is_one_paragraph_of_text(rules: str, text: str) -> None:
    options = {"linkify": False}  # the library that finds addresses is not installed; see below
    found = MarkdownIt(rules, options).parse(markdown_text(text))
    if one_line(text).strip():
        assert [token.type for token in found] == ["paragraph_open", "inline", "paragraph_close"]
        (children,) = (token.children or [] for token in found if token.type == "inline")
        assert {child.type for child in children} <= {"text"}
        assert "".join(child.content for child in children) == one_line(text).strip()


@pytest.mark.parametrize("address", ["https://a.example", "www.a.example", "a@b.example", "mailto:a@b.example"])
def test_an_address_in_markdown_is_escaped_and_not_a_link(address: str) -> None:
    assert address not in markdown_text(f"see {address}")


@given(st.lists(st.lists(ANY_TEXT, min_size=3, max_size=3), min_size=1, max_size=4))
def test_a_markdown_table_has_its_rows_and_columns_whatever_is_in_its_cells(rows: list[list[str]]) -> None:
    table = Table(title="t", header=("a", "b\nc", "d"), rows=rows, keys=1)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(render(table, Format.MARKDOWN))
    cells = [token.children or [] for at, token in enumerate(tokens) if tokens[at - 1].type == "td_open"]
    assert len(cells) == 3 * len(rows)
    texts = ["".join(child.content for child in children) for children in cells]
    assert texts == [one_line(cell).strip() for row in rows for cell in row]


@given(st.lists(ANY_TEXT, min_size=1, max_size=4))
def test_no_cell_of_a_csv_is_a_formula(texts: list[str]) -> None:
    lines = csv_line(texts)
    assert "\n" not in lines
    (cells,) = csv.reader(io.StringIO(lines)) if lines else ([""],)
    assert [cell.removeprefix("'") for cell in cells] == [one_line(text).removeprefix("'") for text in texts]
    assert formula_cells(lines) == []


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "－1+1", "=", "-", "-2-3"]
)
def test_spreadsheet_formulas_get_a_leading_apostrophe(text: str) -> None:
    (cells,) = csv.reader(io.StringIO(csv_line([text])))
    assert cells[0].startswith("'")


def test_numbers_in_a_csv_stay_numbers() -> None:
    values = [-0.5, 1e-9, -3, 0, True, None, "-0.5", "+3", "-1,234.5", "1e-5"]
    assert csv_line(values) == '-0.5,1e-09,-3,0,True,,-0.5,+3,"-1,234.5",1e-5'


def test_text_with_the_separators_of_any_country_is_quoted() -> None:
    assert csv_line(["a;=1", "a\t=1", 'a"b', "a,b"]) == '"a;=1","a =1","a""b","a,b"'


@pytest.mark.slow
@given(st.recursive(st.one_of(ANY_TEXT, st.integers(-(2**53), 2**53), st.none()), st.lists))
def test_json_is_visible_and_reads_back(value: object) -> None:
    text = json_text(value)
    assert json.loads(text) == value
    assert visible(text) == text


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_anywhere_in_a_table_is_text(form: Format, name: str) -> None:
    table = Table(
        title=name,
        header=("a", "b"),
        rows=[[name, "1"]],
        keys=1,
        notes=[name],
        groups=[name],
        records=[{"a": name, "b": 1}],
    )
    shown = render(table, form)
    assert visible(shown) == shown
    if form is Format.CSV:
        assert formula_cells(shown) == []
        assert len(list(csv.reader(io.StringIO(shown)))) == 2
    if form is Format.JSON:
        assert json.loads(shown)[0]["a"] == name.encode("utf-8", "backslashreplace").decode() or "\udcf1" in name
    if form is Format.HTML:
        assert "<script" not in shown
        assert "<img" not in shown


def test_long_names_are_shortened() -> None:
    name = "n" * 60_000
    table = Table(title=name, header=("a",), rows=[[name]] * 3, keys=1, notes=[name] * 5000, records=[{"a": name}])
    for form in (Format.TABLE, Format.MARKDOWN, Format.HTML):
        assert len(render(Table(**{**vars(table), "notes": [name]}), form)) < 40_000
        assert render(table, form).count("more notes") == 1
    assert json.loads(render(table, Format.JSON)) == [{"a": name}]
