"""The table of nights: a row for each, the newest first."""

from edge_bench.app.dashboard.elements import head_row, listed, short, table_row, text_cell, utc
from edge_bench.app.dashboard.nights.reading import NightFolder
from edge_bench.app.dashboard.nights.sentences import delivered_runs, notification
from edge_bench.app.dashboard.nights.standing import not_sent
from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import table_box
from edge_bench.bench.records.nights.night import Finding, Measurement, MeasurementState, Night, NightState
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["night_address", "night_table"]

_HEADINGS = ("night (UTC)", "changes", "engines without a Run", "Runs", "notification")
_TEXT = ("changes", "engines without a Run", "notification")
_STATES = {NightState.RUNNING: "not ended", NightState.INTERRUPTED: "interrupted", NightState.DONE: ""}


def night_address(folder: NightFolder, number: int) -> str:
    """Return the address of a night's page."""
    return f"/nights/{folder.place}/{number}"


def night_table(folder: NightFolder, most: int) -> Html:
    """Return a table of the last ``most`` nights, with damaged ones."""
    by_number = {night.number: night for night in folder.nights}
    numbers = sorted([*by_number, *folder.damaged], reverse=True)
    rows = [
        _row(folder, by_number[number]) if number in by_number else _damaged_row(folder, number)
        for number in numbers[:most]
    ]
    return table_box("Nights", head_row(*_HEADINGS, text=_TEXT), rows)


def _row(folder: NightFolder, night: Night) -> Html:
    state = _STATES[night.state]
    missing, changes = _missing(night), _changes(night)
    name = element("a", f"Night {night.number}", href=night_address(folder, night.number))
    began = element("small", f"{utc(night.began)}{f', {state}' if state else ''}")
    return table_row(
        fragment(name, element("br"), began),
        text_cell(listed(changes) or "none", verdict="slower" if night.reported else ""),
        text_cell(listed(missing) or "none", verdict="slower" if missing else ""),
        delivered_runs(night).removesuffix(" Runs").removesuffix(" Run"),
        text_cell(notification(night), verdict="slower" if not_sent(night) else ""),
    )


def _damaged_row(folder: NightFolder, number: int) -> Html:
    name = element("a", f"Night {number}", href=night_address(folder, number))
    return table_row(name, text_cell("unknown: the record is damaged", verdict="slower"), "", "", "")


def _missing(night: Night) -> list[str]:
    """Return the engines that failed or were silent, with the number of models if it is not all of them."""
    by_engine: dict[str, list[Measurement]] = {}
    for each in night.measurements:
        by_engine.setdefault(each.engine, []).append(each)
    found = []
    for engine, works in by_engine.items():
        bad = [each for each in works if each.state in (MeasurementState.FAILED, MeasurementState.SILENT)]
        if bad:
            part = "" if len(bad) == len(works) else f", {len(bad)} of {len(works)} models"
            found.append(f"{short(engine)} ({bad[0].state}{part})")
    return found


def _changes(night: Night) -> list[str]:
    """Return the changes, ``slower: pi4``, once for each engine; those that were not reported are last."""
    ordered = sorted(night.findings, key=lambda each: not each.reported)
    return list(dict.fromkeys(f"{each.verdict}{_doubt(each)}: {short(each.engine)}" for each in ordered))


def _doubt(finding: Finding) -> str:
    return "" if finding.reported or finding.verdict == Verdict.FASTER else ", not confirmed"
