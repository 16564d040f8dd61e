"""Pages of nights: all of a folder, and one of each night with what was found, why, and by which Runs."""

import datetime
from collections.abc import Collection

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
)
from edge_bench.app.dashboard.nights.reading import NightFolder, run_path
from edge_bench.app.dashboard.nights.sentences import night_headline, notification
from edge_bench.app.dashboard.nights.table import night_address, night_table
from edge_bench.app.nightly.notify.message import by_severity, engine_line, finding_details, finding_line
from edge_bench.app.render.html.css import STYLE
from edge_bench.app.render.html.elements import Html, element, fragment, page
from edge_bench.app.render.html.table import notes_list, table_box
from edge_bench.bench.records.nights.night import Finding, Measurement, MeasurementState, Night
from edge_bench.bench.wording import counted

__all__ = ["NightPage", "night_list_page"]

_HEADINGS = ("model", "engine", "state", "reason", "Runs", "times")
_TRUSTED = {True: "reliable", False: "not reliable", None: ""}


def night_list_page(folder: NightFolder, now: datetime.datetime) -> str:
    """Return the page with all nights of a folder that are read."""
    earlier = len(folder.earlier)
    first = f"{folder.earlier[0]} to {folder.earlier[-1]}" if earlier > 1 else "1"
    more = f"The {counted(earlier, 'night')} before them ({first}) can be opened by address: " if earlier else ""
    example = element("a", night_address(folder, folder.earlier[-1]), href=night_address(folder, folder.earlier[-1])) \
        if earlier else None  # fmt: skip
    count = len(folder.nights) + len(folder.damaged)
    return page(
        f"edge-bench: nights of {folder.folder.name}",
        STYLE,
        element(
            "main",
            page_header("nights", f"The last {counted(count, 'night')} of {folder.folder.name}", now, back=True),
            element("p", more, example) if earlier else None,
            night_table(folder, count),
        ),
    )


class NightPage:
    """The page of one night."""

    def __init__(self, folder: NightFolder, night: Night, known_runs: Collection[str]) -> None:
        self._folder, self._night, self._known = folder, night, known_runs

    def page(self, now: datetime.datetime) -> str:
        """Return the page."""
        night = self._night
        reported, others = by_severity(night.reported), [each for each in night.findings if not each.reported]
        return page(
            f"edge-bench: {night_headline(night)}",
            STYLE,
            element(
                "main",
                page_header(f"night {night.number}", night_headline(night), now, back=True),
                sentences([*map(engine_line, night.silent), *night.warnings, *self._facts()]),
                titled("Reported changes", self._changes(reported)),
                titled("Changes that were not reported", self._changes(others)),
                titled("Engines without a Run", self._remedies()),
                titled("Measurements", self._measurements()),
                titled("Notes", notes_list(night.notes)),
                element("footer", element("p", *self._neighbours(), class_="small")),
            ),
        )

    def _facts(self) -> list[str]:
        night = self._night
        ended = f", ended {utc(night.ended)}" if night.ended else ", has not ended"
        resumed = f" It was interrupted and continued {counted(night.resumed, 'time')}." if night.resumed else ""
        return [f"Began {utc(night.began)}{ended} UTC.{resumed} Notification: {notification(night)}."]

    def _changes(self, findings: list[Finding]) -> Html | None:
        return fragment(*map(self._change, findings)) if findings else None

    def _change(self, finding: Finding) -> Html:
        runs: list[Html | str | None] = ["Reports: last good Run ", self._by_id(finding.last_good_run)]
        runs += [", first Run after the change ", self._by_id(finding.run_id)]
        again = finding.confirmation
        if again and again.run_file:
            runs += [", second measurement ", self._run_link(again.run_id, again.run_file)]
        return fragment(
            element("h3", finding_line(finding)),
            element("ul", *(element("li", each) for each in [*finding_details(finding)]), element("li", *runs),
                    class_="notes"),
        )  # fmt: skip

    def _by_id(self, run_id: str) -> Html | str:
        """Return a link to the report of a Run in a results folder; its id if it is archived or unknown."""
        if run_id in self._known:
            return element("a", run_id[:8], href=f"/runs/{run_id}")
        return f"{run_id[:8]} (not in the results folder any more)" if run_id else "none"

    def _run_link(self, run_id: str, name: str) -> Html | str:
        if run_id in self._known:
            return element("a", run_id[:8], href=f"/runs/{run_id}")
        shown = run_id[:8] or name.removesuffix(".json").rpartition("-")[2]
        if run_path(self._folder.folder, self._night, name) is None:
            return f"{shown} (not in the results folder any more)"
        return element("a", shown, href=f"{night_address(self._folder, self._night.number)}/{name}")

    def _remedies(self) -> Html | None:
        lines = [f"{each.engine}: {each.remedy}" for each in self._night.silent if each.remedy]
        return notes_list(lines)

    def _measurements(self) -> Html | None:
        rows = [
            table_row(
                short(each.model),
                text_cell(short(each.engine)),
                text_cell(str(each.state), verdict="slower" if _is_missing(each) else ""),
                text_cell("; ".join(filter(None, (each.reason, each.remedy)))),
                text_cell(*self._runs(each)),
                _TRUSTED[each.trusted],
            )
            for each in self._night.measurements
        ]
        text = ("engine", "state", "Runs", "reason")
        return table_box("Measurements", head_row(*_HEADINGS, text=text), rows) if rows else None

    def _runs(self, measurement: Measurement) -> list[Html | str]:
        if not measurement.run_file:
            return ["none"]
        pieces = [self._run_link(measurement.run_id, measurement.run_file)]
        for name in measurement.more_runs:
            pieces += [", ", self._run_link("", name)]
        return pieces

    def _neighbours(self) -> list[Html | str]:
        numbers, number = self._folder.numbers, self._night.number
        before, after = [each for each in numbers if each < number], [each for each in numbers if each > number]
        found = [("all nights", f"/nights/{self._folder.place}")]
        found += [(f"night {each}", night_address(self._folder, each)) for each in [*before[-1:], *after[:1]]]
        return links(found)


def _is_missing(measurement: Measurement) -> bool:
    return measurement.state in (MeasurementState.FAILED, MeasurementState.SILENT)
