"""Escaping in HTML elements, pages and tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_bench.app.render.formats import Format
from edge_bench.app.render.html.elements import element, fragment, page
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.table import render

HOSTILE = "<script>alert('x')</script>\"'&"


@given(st.text())
def test_text_never_becomes_markup(text: str) -> None:
    written = element("p", text, title=text or None)
    assert written.count("<") == written.count(">") == 2


def test_elements_are_not_escaped_twice_and_none_children_are_skipped() -> None:
    assert fragment(element("b", "1 < 2"), None, [" & "]) == "<b>1 &lt; 2</b> &amp; "


def test_a_page_forbids_scripts_and_requests() -> None:
    text = page("t", "", element("p", "x"))
    assert "default-src 'none'" in text.replace("&#x27;", "'")


@pytest.mark.parametrize("place", ["title", "header", "rows", "notes"])
def test_every_part_of_an_html_table_is_escaped(place: str) -> None:
    parts = {"title": "t", "header": ("a", "b"), "rows": [("c", "d")], "notes": ["n"]}
    hostile = {"title": HOSTILE, "header": (HOSTILE, "b"), "rows": [(HOSTILE, HOSTILE)], "notes": [HOSTILE]}[place]
    text = render(Table(**(parts | {place: hostile}), keys=1), Format.HTML)  # type: ignore[arg-type]
    assert "<script" not in text
    assert "&lt;script&gt;" in text
