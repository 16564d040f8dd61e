"""Parts of pages."""

import datetime
import re
from collections.abc import Collection, Sequence

from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import with_badges
from edge_bench.app.render.text.wrapping import middle_shortened
from edge_bench.bench.stats.ratios import Verdict

__all__ = [
    "head_row", "links", "listed", "page_header", "sentences", "short", "table_row", "text_cell", "titled",
    "utc", "verdict_cell",
]  # fmt: skip

#: Dates and intervals, which are not broken across lines.
_WHOLE = re.compile(r"(\d{4}-\d\d-\d\d|\[[\d.]+, [\d.]+\])")
_MAX_NAME = 40  # characters; the page of a series, night or Run has the whole name


def page_header(kind: str, title: str, now: datetime.datetime, *, back: bool = False) -> Html:
    """Return the header: what the page is and when it was made, and its answer. ``back`` is a link to the overview."""
    time = f"{now:%Y-%m-%d %H:%M} UTC"
    link = [element("a", "overview", href="/"), " · "] if back else []
    answer = (
        element("span", part, class_="whole") if _WHOLE.fullmatch(part) else with_badges(part)
        for part in _WHOLE.split(title)
    )
    return element("header", element("p", *link, f"{kind} · {time}", class_="kind"), element("h1", *answer))


def sentences(texts: Sequence[Html | str]) -> Html:
    """Return the sentences of an answer."""
    shown = (each if isinstance(each, Html) else with_badges(each) for each in texts)
    return element("div", *(element("p", each) for each in shown), class_="answer")


def titled(title: str, content: Html | None) -> Html | None:
    """Return a heading with its content; None without content."""
    return fragment(element("h2", title), content) if content else None


def links(targets: Sequence[tuple[str, str]]) -> list[Html | str]:
    """Return links, given as texts and addresses, with dots between them."""
    pieces: list[Html | str] = []
    for name, address in targets:
        pieces += [element("a", name, href=address), " · "]
    return pieces[:-1]


def head_row(*names: str, text: Collection[str] = ()) -> Html:
    """Return the head of a table. Columns in ``text`` have text, which is aligned to the left."""
    key, *others = names
    return element(
        "tr",
        element("th", key, scope="col", class_="key only"),
        *(element("th", name, scope="col", class_="text" if name in text else None) for name in others),
    )


def table_row(key: Html | str, *cells: Html | str) -> Html:
    """Return a row. Cells that are no ``td`` become one."""
    return element(
        "tr",
        element("th", key, scope="row", class_="only lengthy"),
        *(cell if isinstance(cell, Html) and cell.startswith("<td") else element("td", cell) for cell in cells),
    )


def text_cell(*content: Html | str, verdict: str = "") -> Html:
    """Return a cell with text, aligned to the left and wrapped."""
    return element("td", *content, class_=f"text verdict {verdict}" if verdict else "text")


def verdict_cell(verdict: Verdict, text: str) -> Html:
    """Return a cell in the colour of a verdict."""
    return element("td", text, class_=f"verdict {verdict}")


def short(name: str) -> str:
    """Return a name of at most 40 characters."""
    return middle_shortened(name, _MAX_NAME)


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return the first names, and the number of the others."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def utc(time: str) -> str:
    """Return a time in ISO 8601 as date and minutes."""
    return time[:16].replace("T", " ")
