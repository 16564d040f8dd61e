"""The pages: an overview of changes and devices, and one page for each series."""

import datetime
from collections.abc import Sequence

from edge_bench.app.dashboard.ages import age
from edge_bench.app.dashboard.devices import Device, devices_of, devices_sentence, natural, verdict_of
from edge_bench.app.dashboard.elements import (
    head_row,
    links,
    page_header,
    sentences,
    short,
    table_row,
    text_cell,
    titled,
    utc,
    verdict_cell,
)
from edge_bench.app.dashboard.nights.overview import NightsNow, nights_now
from edge_bench.app.dashboard.snapshot import Snapshot, series_id
from edge_bench.app.nightly.notify.message import change_line, finding_line
from edge_bench.app.render.html.css import STYLE
from edge_bench.app.render.html.elements import Html, element, fragment, page
from edge_bench.app.render.html.table import html_table, notes_list, table_box, with_badges
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
_TRUSTED = {True: "reliable", False: "not reliable", None: "reliability unknown"}
_ABOUT_HISTORY = (
    "This is the answer of `edge-bench history` to all Runs in the folder. Of Runs of nights, it has the changes of "
    "times that the nights found; other Runs are judged by its own rules, which need nine Runs of a configuration."
)
_EXPORTS = (("JSON Lines", "/export/history.jsonl"), ("CSV", "/export/history.csv"))


def overview_page(snapshot: Snapshot, now: datetime.datetime, silent_after_s: float) -> str:
    """Return the first page: what changed, which devices are silent, nights, and all series."""
    nights = nights_now(snapshot.nights)
    devices = devices_of(snapshot, now, silent_after_s, nights)
    from_runs = [snapshot.problem] if snapshot.problem else history_lines(snapshot.series, _ONE_LINE)
    about_devices = devices_sentence(devices, silent_after_s / 3600)
    if nights:
        first, answers = nights.headline(now, silent_after_s), [*nights.lines(), about_devices]
        below = [_ABOUT_HISTORY, *from_runs]
    else:
        first, answers, below = from_runs[0], [*from_runs[1:], about_devices], []
    heading = "Answer of history" if nights else "Changes that last"
    return page(
        f"edge-bench: {first}",
        STYLE,
        element(
            "main",
            page_header("edge-bench dashboard", first, now),
            sentences(answers),
            nights.tables() if nights else None,
            titled(heading, fragment(*(element("p", with_badges(each)) for each in below), _changes(snapshot))),
            titled("Devices", _devices(devices, now) if devices else None),
            titled("Configurations", _series_list(snapshot.series, nights)),
            titled("Notes", notes_list(snapshot.notes)),
            element("footer", element("p", "Export: ", *links(_EXPORTS), class_="small")),
        ),
    )


def series_page(snapshot: Snapshot, series: Series, now: datetime.datetime) -> str:
    """Return the page of a series: its answer, its times over time with changes marked, and its Runs."""
    from edge_bench.app.figures.drawing.svg import figure_element
    from edge_bench.app.figures.runs.over_time import over_time

    nights = nights_now(snapshot.nights)
    found = nights.found_in(series) if nights else []
    sentence, answers = answer(series), []
    if nights and found:  # the nights also know new models, accuracy and failures
        answers = [nights.linked(folder, finding_line(each.finding), each.night) for folder, each in found]
        answers.append(with_badges(f"Answer of history: {sentence}"))
        sentence = change_line(found[0][1].finding)
    table = history_table([series])
    runs = [
        element("li", element("a", f"{utc(point.began)} UTC", href=f"/runs/{point.run_id}"))
        for point in reversed(series.points)
    ]
    return page(
        f"edge-bench: {series.configuration} on {series.machine}",
        STYLE,
        element(
            "main",
            page_header(f"{series.configuration} · {series.machine} · {series.dataset}", sentence, now, back=True),
            sentences(answers) if answers else None,
            None if series.emulated else figure_element(over_time([series]), 1, "f1"),
            titled("Runs", html_table(table)),
            titled("Report of each Run", element("ul", *runs, class_="notes")),
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


def _series_link(series: Series) -> Html:
    return element("a", str(series.configuration), href=f"/series/{series_id(series)}")


def _changes(snapshot: Snapshot) -> Html | None:
    """Return a table of the changes that last, the newest first; None without any."""
    found = [(series, change) for series in snapshot.series if (change := lasting_change(series))]
    if not found:
        return None
    found.sort(key=lambda each: each[1].began, reverse=True)
    rows = [_change_row(series, change) for series, change in found[:_MAX_SERIES]]
    head = head_row("configuration", "device", "change", "× the time [95 %]", "since (UTC)", "what else changed",
                    text=("what else changed",))  # fmt: skip
    return table_box("Changes that last", head, rows)


def _change_row(series: Series, change: Change) -> Html:
    doubt = UNRELIABLE if series.points[change.index].verdict_reliable is False else ""
    return table_row(
        _series_link(series),
        short(series.machine),
        verdict_cell(change.verdict, f"{change.verdict}{doubt} ({change.kind})"),
        with_interval(change.ratio.value, change.ratio.interval),
        fragment(element("a", utc(change.began), href=f"/runs/{change.run_id}")),
        text_cell("; ".join(change.differences) or "nothing that is recorded"),
    )


def _devices(devices: Sequence[Device], now: datetime.datetime) -> Html:
    head = head_row(
        "device", "state", "last Run", "slower", "faster", "configurations", "Runs", "last Run is",
    )  # fmt: skip
    return table_box("Devices", head, [_device_row(each, now) for each in devices])


def _device_row(device: Device, now: datetime.datetime) -> Html:
    last = device.last
    since = f" since night {device.silent_since_night}" if device.silent_since_night else ""
    return table_row(
        with_badges(f"{device.name}{' EMULATED' if last and last.emulated else ''}"),
        element("td", f"silent{since}", class_="verdict slower") if device.silent else _ALIVE[device.silent],
        fragment(element("a", age(last.began, now), href=f"/runs/{last.run_id}")) if last else "no Run",
        verdict_cell(Verdict.SLOWER, str(device.slower)) if device.slower else "0",
        verdict_cell(Verdict.FASTER, str(device.faster)) if device.faster else "0",
        str(device.series),
        str(device.runs),
        f"{'incomplete' if last.incomplete else 'complete'}, {_TRUSTED[last.trusted]}" if last else "",
    )


def _series_list(all_series: Sequence[Series], nights: NightsNow | None) -> Html | None:
    if not all_series:
        return None
    rows = [
        table_row(
            _series_link(series),
            with_badges(f"{short(series.machine)}{' EMULATED' if series.emulated else ''}"),
            _answer_cell(series, nights),
            f"{significant(1e3 * series.points[-1].median)}",
            str(len(series.points)),
            series.dataset,
        )
        for series in sorted(all_series, key=lambda each: _order(each, nights))[:_MAX_SERIES]
    ]
    more = len(all_series) - len(rows)
    unit = f"ms/{all_series[0].unit}, last Run"
    head = head_row("configuration", "device", "answer", unit, "Runs", "data", text=("answer",))
    return fragment(
        table_box("Configurations", head, rows),
        element("p", f"{more} more are in the exports.", class_="small") if more else None,
    )


def _order(series: Series, nights: NightsNow | None) -> tuple[int, object, object]:
    """Return a key that sorts slower configurations first, then faster ones, then by names."""
    found = nights.found_in(series) if nights else []
    verdict = found[0][1].finding.verdict if found else verdict_of(series, nights)
    place = {Verdict.FASTER: 1, "": 2}.get(verdict, 0)
    return place, natural(series.machine), natural(str(series.configuration))


def _answer_cell(series: Series, nights: NightsNow | None) -> Html:
    """Return what the nights found, else the answer of the history."""
    found = nights.found_in(series) if nights else []
    if found and nights:
        folder, first = found[0]
        verdict = "faster" if first.finding.verdict == Verdict.FASTER else "slower"
        return text_cell(nights.linked(folder, change_line(first.finding), first.night), verdict=verdict)
    return text_cell(answer(series))
