"""The pages: an overview of changes and devices, and one page for each series."""

import datetime
from collections.abc import Sequence

from edge_bench.app.dashboard.devices import Device, age, devices_of, devices_sentence
from edge_bench.app.dashboard.snapshot import Snapshot, series_id
from edge_bench.app.render.html.css import STYLE
from edge_bench.app.render.html.elements import Html, element, fragment, page
from edge_bench.app.render.html.table import html_table, notes_list, table_box, with_badges
from edge_bench.app.render.text.wrapping import middle_shortened
from edge_bench.app.render.units import significant, with_interval
from edge_bench.app.tables.over_time.names import lasting_change
from edge_bench.app.tables.over_time.sentences import history_lines
from edge_bench.app.tables.runs.history import answer, history_table
from edge_bench.app.tables.shared import UNRELIABLE
from edge_bench.bench.analysis.over_time.changes import Change
from edge_bench.bench.analysis.over_time.history import Series
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["login_page", "not_found_page", "overview_page", "series_page"]

#: Wide enough for the longest form of each sentence.
_ONE_LINE = 10_000
_MAX_SERIES = 1000
_ALIVE = {False: "alive", None: "unknown"}
_MAX_MACHINE = 40  # characters; the page of a series has the whole name
_EXPORTS = (("JSON Lines", "/export/history.jsonl"), ("CSV", "/export/history.csv"))


def overview_page(snapshot: Snapshot, now: datetime.datetime, silent_after_s: float) -> str:
    """Return the first page: what changed, which devices are silent, and all series."""
    devices = devices_of(snapshot, now, silent_after_s)
    first, *others = [snapshot.problem] if snapshot.problem else history_lines(snapshot.series, _ONE_LINE)
    sentences = [*others, devices_sentence(devices, silent_after_s / 3600)]
    return page(
        f"edge-bench: {first}",
        STYLE,
        element(
            "main",
            _header("edge-bench dashboard", first, now),
            element("div", *(element("p", with_badges(each)) for each in sentences), class_="answer"),
            _titled("Changes that last", _changes(snapshot)),
            _titled("Devices", _devices(devices, now) if devices else None),
            _titled("Configurations", _series_list(snapshot.series)),
            _titled("Notes", notes_list(snapshot.notes)),
            element("footer", element("p", "Export: ", *_links(_EXPORTS), class_="small")),
        ),
    )


def series_page(series: Series, now: datetime.datetime) -> str:
    """Return the page of a series: its answer, its times over time with changes marked, and its Runs."""
    from edge_bench.app.figures.drawing.svg import figure_element
    from edge_bench.app.figures.runs.over_time import over_time

    sentence = answer(series)
    table = history_table([series])
    runs = [
        element("li", element("a", f"{point.began[:16].replace('T', ' ')} UTC", href=f"/runs/{point.run_id}"))
        for point in reversed(series.points)
    ]
    return page(
        f"edge-bench: {series.configuration} on {series.machine}",
        STYLE,
        element(
            "main",
            _header(f"{series.configuration} · {series.machine} · {series.dataset}", sentence, now, back=True),
            None if series.emulated else figure_element(over_time([series]), 1, "f1"),
            _titled("Runs", html_table(table)),
            _titled("Report of each Run", element("ul", *runs, class_="notes")),
        ),
    )


def not_found_page(what: str) -> str:
    """Return the page for an address without content."""
    back = element("p", element("a", "To the overview", href="/"))
    return page("edge-bench: not found", STYLE, element("main", element("h1", what), back))


def login_page(problem: str = "") -> str:
    """Return the form that asks for the token."""
    form = element(
        "form",
        element("label", "Token ", element("input", type="password", name="token", autofocus="")),
        element("button", "Show"),
        method="post",
        action="/login",
    )
    return page(
        "edge-bench dashboard",
        STYLE,
        element(
            "main", element("h1", "This dashboard needs a token"), element("p", problem) if problem else None, form
        ),
        form_action="'self'",
    )


def _header(kind: str, title: str, now: datetime.datetime, *, back: bool = False) -> Html:
    time = f"{now:%Y-%m-%d %H:%M} UTC"
    link = [element("a", "overview", href="/"), " · "] if back else []
    return element("header", element("p", *link, f"{kind} · {time}", class_="kind"), element("h1", with_badges(title)))


def _titled(title: str, content: Html | None) -> Html | None:
    return fragment(element("h2", title), content) if content else None


def _links(links: Sequence[tuple[str, str]]) -> list[Html | str]:
    pieces: list[Html | str] = []
    for name, address in links:
        pieces += [element("a", name, href=address), " · "]
    return pieces[:-1]


def _head(*names: str) -> Html:
    key, *others = names
    return element(
        "tr",
        element("th", key, scope="col", class_="key only"),
        *(element("th", name, scope="col") for name in others),
    )


def _row(key: Html | str, *cells: Html | str) -> Html:
    return element(
        "tr",
        element("th", key, scope="row", class_="only lengthy"),
        *(cell if isinstance(cell, Html) and cell.startswith("<td") else element("td", cell) for cell in cells),
    )


def _short(machine: str) -> str:
    return middle_shortened(machine, _MAX_MACHINE)


def _verdict(verdict: Verdict, text: str) -> Html:
    return element("td", text, class_=f"verdict {verdict}")


def _series_link(series: Series) -> Html:
    return element("a", str(series.configuration), href=f"/series/{series_id(series)}")


def _changes(snapshot: Snapshot) -> Html | None:
    """Return a table of the changes that last, the newest first; None without any."""
    found = [(series, change) for series in snapshot.series if (change := lasting_change(series))]
    if not found:
        return None
    found.sort(key=lambda each: each[1].began, reverse=True)
    rows = [_change_row(series, change) for series, change in found[:_MAX_SERIES]]
    head = _head("configuration", "device", "change", "× the time [95 %]", "since (UTC)", "what else changed")
    return table_box("Changes that last", head, rows)


def _change_row(series: Series, change: Change) -> Html:
    doubt = UNRELIABLE if series.points[change.index].verdict_reliable is False else ""
    return _row(
        _series_link(series),
        _short(series.machine),
        _verdict(change.verdict, f"{change.verdict}{doubt} ({change.kind})"),
        with_interval(change.ratio.value, change.ratio.interval),
        fragment(element("a", change.began[:16].replace("T", " "), href=f"/runs/{change.run_id}")),
        "; ".join(change.differences) or "nothing that is recorded",
    )


def _devices(devices: Sequence[Device], now: datetime.datetime) -> Html:
    rows = [
        _row(
            with_badges(f"{each.name}{' EMULATED' if each.last.emulated else ''}"),
            element("td", "silent", class_="verdict slower") if each.silent else _ALIVE[each.silent],
            fragment(element("a", age(each.last.began, now), href=f"/runs/{each.last.run_id}")),
            str(each.runs),
            str(each.series),
            _verdict(Verdict.SLOWER, str(each.slower)) if each.slower else "0",
            _verdict(Verdict.FASTER, str(each.faster)) if each.faster else "0",
            {True: "reliable", False: "not reliable", None: "unknown"}[each.last.trusted],
            "incomplete" if each.last.incomplete else "complete",
        )
        for each in devices
    ]
    head = _head(
        "device",
        "",
        "last Run",
        "Runs",
        "configurations",
        "slower",
        "faster",
        "times of the last Run",
        "measurements of it",
    )
    return table_box("Devices", head, rows)


def _series_list(all_series: Sequence[Series]) -> Html | None:
    if not all_series:
        return None
    rows = [
        _row(
            _series_link(series),
            with_badges(f"{_short(series.machine)}{' EMULATED' if series.emulated else ''}"),
            series.dataset,
            str(len(series.points)),
            f"{significant(1e3 * series.points[-1].median)}",
            answer(series),
        )
        for series in all_series[:_MAX_SERIES]
    ]
    more = len(all_series) - len(rows)
    unit = f"ms/{all_series[0].unit}, last Run"
    return fragment(
        table_box("Configurations", _head("configuration", "device", "data", "Runs", unit, "answer"), rows),
        element("p", f"{more} more are in the exports.", class_="small") if more else None,
    )
