"""A Table as HTML: in a box of its own that scrolls where the screen is too narrow, its notes below."""

import re
from collections.abc import Sequence

from edge_bench.app.render.html.elements import Html, element, fragment, page
from edge_bench.app.render.table import Table

__all__ = ["html_table", "notes_list", "table_box", "table_page", "with_badges"]

_EMULATED = re.compile(r"(EMULATED)")
_BARS = re.compile(r"^([▁▂▃▄▅▆▇█]+) (.*)$")
#: A hyphen that stands for a minus sign.
_HYPHEN = re.compile(r"(?<![\w.])-(?=\d)")
#: So many columns name a configuration: variant, runtime, threads, batch size.
_CONFIGURATION = 4
#: Words that a reader looks for in a column.
_VERDICTS = {"faster", "slower", "same", "undecided", "baseline"}


def table_page(tables: Sequence[Table]) -> str:
    """A whole document that holds nothing but these tables, each below its title."""
    from edge_bench.app.render.html.css import STYLE

    first, *others = tables
    return page(
        f"edge-bench: {first.title}",
        STYLE,
        element(
            "main",
            element("h1", with_badges(first.title)),
            html_table(first),
            *(fragment(element("h2", with_badges(table.title)), html_table(table)) for table in others),
        ),
    )


def html_table(table: Table, *, notes: bool = True, without: Sequence[str] = ()) -> Html:
    """The table, without its title and the columns named; a configuration stands in one cell, its machine above."""
    merged = table.keys >= _CONFIGURATION
    keys = 1 if merged else table.keys
    columns = [column for column in range(table.keys, len(table.header)) if table.header[column] not in without]
    names = ["configuration"] if merged else list(table.header[:keys])
    head = element(
        "tr",
        *(element("th", *_lines(name), scope="col", class_="key only" if keys == 1 else "key") for name in names),
        *(element("th", *_lines(table.header[column]), scope="col") for column in columns),
    )
    rows, before = [], None
    for number, row in enumerate(table.rows):
        group = table.groups[number] if table.groups else None
        if group != before and group is not None:
            name = element("span", with_badges(group), class_="stay")
            wide = str(keys + len(columns))
            rows.append(element("tr", element("th", name, colspan=wide, scope="colgroup", class_="group")))
        before = group
        what = [_configuration(row[: table.keys])] if merged else [_key(cell, only=keys == 1) for cell in row[:keys]]
        rows.append(element("tr", *what, *(_cell(row[column]) for column in columns)))
    said = [note for note in table.notes if note not in table.groups]
    return fragment(table_box(table.title, head, rows), notes_list(said) if notes else None)


def _key(text: str, *, only: bool) -> Html:
    return element("th", with_badges(text), scope="row", class_="only" if only else None)


def _configuration(keys: Sequence[str]) -> Html:
    """``dynamic · litert`` and, smaller, its threads and batch size; the machine before them is the group's heading."""
    variant, runtime, threads, batch = keys[-_CONFIGURATION:]
    how = f"{threads} thread{'' if threads == '1' else 's'}, batch {batch}"
    return element("th", f"{variant} · {runtime}", element("br"), element("small", how), scope="row", class_="only")


def table_box(label: str, head: Html, rows: Sequence[Html]) -> Html:
    """A table in its scrolling box, which the keyboard can reach and a screen reader can name."""
    inside = element("table", element("thead", head), element("tbody", *rows))
    long = " long" if len(rows) > 40 else ""
    return element("div", inside, class_=f"box{long}", role="region", aria_label=label, tabindex="0")


def notes_list(notes: Sequence[str]) -> Html | None:
    """What is to be said below a table."""
    if not notes:
        return None
    return element("ul", *(element("li", with_badges(note.removeprefix("! "))) for note in notes), class_="notes")


def with_badges(text: str) -> Html:
    """The text with every EMULATED set apart, so that nobody overlooks it."""
    return fragment(
        *(element("b", part, class_="emulated") if part == "EMULATED" else part for part in _EMULATED.split(text))
    )


def _lines(text: str) -> list[Html | str]:
    pieces: list[Html | str] = []
    for line in text.split("\n"):
        pieces += [line, element("br")]
    return pieces[:-1]


def _cell(text: str) -> Html:
    if text in _VERDICTS:
        return element("td", text, class_=f"verdict {text}")
    if bars := _BARS.match(text):
        return element("td", element("span", bars[1], class_="bars", aria_hidden="true"), f" {bars[2]}")
    return element("td", with_badges(_HYPHEN.sub("−", text)))
