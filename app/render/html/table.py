"""Render a Table as HTML, in a box that scrolls on narrow screens, with its notes below."""

import re
from collections.abc import Sequence

from edge_bench.app.render.escaping import one_line
from edge_bench.app.render.html.elements import Html, element, fragment, page
from edge_bench.app.render.table import Table, limited, rows_left_out

__all__ = ["html_table", "notes_list", "table_box", "table_page", "with_badges"]

_BADGES = re.compile(r"(EMULATED|ASSUMED|PREDICTED)")
_BARS = re.compile(r"^([▁▂▃▄▅▆▇█]+) (.*)$")
#: A hyphen used as a minus sign.
_MINUS = re.compile(r"(?<![\w.])-(?=\d)")
#: Number of columns that identify a configuration: variant, runtime, threads, batch size. A delegate may follow.
_CONFIGURATION_COLUMNS = 4
_DELEGATE = "delegate"
_MAX_TITLE = 1000
#: A cell with more characters has a line for each part before a semicolon.
_LONG_CELL = 24
#: A name with more characters is wrapped.
_LONG_KEY = 60
#: Cells that are emphasized: ``faster``, ``11.7× faster ~``, ``same: only one process``.
_VERDICT = re.compile(r"^(?:[\d.,]+× )?(faster|slower|same|undecided|baseline)\b")


def table_page(tables: Sequence[Table], lead: Sequence[str] = ()) -> str:
    """Return a complete document: the sentences of ``lead``, then each table below its title."""
    from edge_bench.app.render.html.css import STYLE

    first, *others = tables
    return page(
        f"edge-bench: {one_line(first.title, _MAX_TITLE)}",
        STYLE,
        element(
            "main",
            element("h1", with_badges(one_line(first.title, _MAX_TITLE))),
            *(element("p", with_badges(one_line(text, _MAX_TITLE))) for text in lead),
            html_table(first),
            *(
                fragment(element("h2", with_badges(one_line(table.title, _MAX_TITLE))), html_table(table))
                for table in others
            ),
        ),
    )


def html_table(table: Table, *, notes: bool = True, omit: Sequence[str] = ()) -> Html:
    """Return the table without its title and without the columns in ``omit``.

    The columns of a configuration are merged into one cell. The machine becomes a heading above its rows.
    """
    more, table = rows_left_out(table), limited(table)
    merged = table.keys >= _CONFIGURATION_COLUMNS
    keys = 1 if merged else table.keys
    columns = [column for column in range(table.keys, len(table.header)) if table.header[column] not in omit]
    names = ["configuration"] if merged else list(table.header[:keys])
    head = element(
        "tr",
        *(element("th", *_lines(name), scope="col", class_="key only" if keys == 1 else "key") for name in names),
        *(element("th", *_lines(table.header[column]), scope="col") for column in columns),
    )
    rows, previous_group = [], None
    for number, row in enumerate(table.rows):
        group = table.groups[number] if table.groups else None
        if group != previous_group and group is not None:
            name = element("span", with_badges(group), class_="stay")
            width = str(keys + len(columns))
            rows.append(element("tr", element("th", name, colspan=width, scope="colgroup", class_="group")))
        previous_group = group
        if merged:
            has_delegate = table.header[table.keys - 1] == _DELEGATE
            row_header = [_configuration(row[: table.keys - has_delegate], row[table.keys - 1] if has_delegate else "")]
        else:
            row_header = [_row_header(cell, only=keys == 1) for cell in row[:keys]]
        rows.append(element("tr", *row_header, *(_cell(row[column]) for column in columns)))
    groups = set(table.groups)
    other_notes = [note for note in table.notes if note not in groups and note != more]
    return fragment(
        table_box(table.title, head, rows),
        element("p", f"{more}.", class_="small") if more else None,
        notes_list(other_notes) if notes else None,
    )


def _only(text: str) -> str:
    """Return the class of the only key of a row; a long one is wrapped, so that the next columns are visible."""
    return "only lengthy" if len(text) > _LONG_KEY else "only"


def _row_header(text: str, *, only: bool) -> Html:
    return element("th", with_badges(text), scope="row", class_=_only(text) if only else None)


def _configuration(keys: Sequence[str], delegate: str = "") -> Html:
    """Return ``dynamic · litert`` and, in a smaller font, its threads and batch size, and its delegate if stated."""
    variant, runtime, threads, batch = keys[-_CONFIGURATION_COLUMNS:]
    details = (
        f"{threads} thread{'' if threads == '1' else 's'}, batch {batch}{f', delegate {delegate}' if delegate else ''}"
    )
    return element(
        "th",
        f"{variant} · {runtime}",
        element("br"),
        element("small", details),
        scope="row",
        class_=_only(f"{variant} · {runtime}"),
    )


def table_box(label: str, head: Html, rows: Sequence[Html]) -> Html:
    """Return a table in a scrolling box that has a keyboard focus and a label for screen readers.

    Above it is a hint that the style sheet shows only if the table is wider than its box.
    """
    table = element("table", element("thead", head), element("tbody", *rows))
    long = " long" if len(rows) > 40 else ""
    return element(
        "div",
        element("p", "Scroll sideways for more columns \N{RIGHTWARDS ARROW}", class_="hint"),
        element("div", table, class_=f"box{long}", role="region", aria_label=label, tabindex="0"),
        class_="frame",
    )


def notes_list(notes: Sequence[str]) -> Html | None:
    """Return the notes of a table as a list; None without notes."""
    if not notes:
        return None
    return element("ul", *(element("li", with_badges(note.removeprefix("! "))) for note in notes), class_="notes")


def with_badges(text: str) -> Html:
    """Return the text with every EMULATED, ASSUMED and PREDICTED highlighted as a badge."""
    return fragment(
        *(element("b", part, class_="emulated") if _BADGES.fullmatch(part) else part for part in _BADGES.split(text))
    )


def _lines(text: str) -> list[Html | str]:
    pieces: list[Html | str] = []
    for line in text.split("\n"):
        pieces += [line, element("br")]
    return pieces[:-1]


def _cell(text: str) -> Html:
    if verdict := _VERDICT.match(text):
        return element("td", text, class_=f"verdict {verdict[1]}")
    if bars := _BARS.match(text):
        return element("td", element("span", bars[1], class_="bars", aria_hidden="true"), f" {bars[2]}")
    lines = _MINUS.sub("−", text).split("; ") if len(text) > _LONG_CELL else [_MINUS.sub("−", text)]
    pieces = [element("br") if each is None else with_badges(each) for line in lines for each in (None, line)]
    return element("td", *pieces[1:])
