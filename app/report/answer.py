"""The answer at the top of a page, as in a terminal, and what each machine answers if there are several."""

import re
from collections.abc import Sequence

from edge_bench.app.render.escaping import one_line
from edge_bench.app.render.html.elements import Html, element
from edge_bench.app.render.html.table import html_table, with_badges
from edge_bench.app.render.table import Table
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.app.report.offload.break_even import break_even_text
from edge_bench.app.tables.answer.cells import UNRELIABLE, quality_text, speed_text, time_text
from edge_bench.app.tables.answer.names import Sides, baseline_name, configuration_name
from edge_bench.app.tables.answer.text import Answered, answer_sentences
from edge_bench.app.tables.sustained.sentences import sustained_sentences
from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.analysis.sustained.load import loads_of

__all__ = ["answer", "machine_answers"]

_WARNING = "! "
_RELIABLE = {True: "yes", False: "no", None: "not known"}


def answer(section: BundleSection) -> Html:
    """Return the sentences of the answer; what makes it doubtful, and the remedy, is marked."""
    first, *others = _sentences(section)
    return element("div", _sentence(first, "headline"), *(_sentence(text) for text in others), class_="answer")


def _sentences(section: BundleSection) -> list[str]:
    """Return the answer of all Runs that are compared; if all are sustained loads, that of the newest."""
    loads = [(run, found) for run in section.runs if (found := loads_of(run))]
    if section.comparison is None and loads:
        return sustained_sentences(*max(loads, key=lambda each: each[0].began))
    runs = [run for run in section.runs if not run.settings.sustained]
    return answer_sentences(Answered(runs or section.runs, section.comparison, [], ""))


def _sentence(text: str, class_: str | None = None) -> Html:
    if text.startswith(_WARNING):
        class_ = "doubt"
    return element("p", with_badges(_with_no_break_spaces(one_line(text.removeprefix(_WARNING)))), class_=class_)


def _with_no_break_spaces(sentence: str) -> str:
    """Return the sentence with no line breaks within an interval, or between a number and its unit."""
    sentence = re.sub(r"\[[^]]*\]", lambda match: match[0].replace(" ", "\N{NO-BREAK SPACE}"), sentence)
    return re.sub(r"(?<=[\d\]]) (?=%|\[|ms|[KM]iB)", "\N{NO-BREAK SPACE}", sentence)


def machine_answers(section: BundleSection) -> Html | None:
    """Return a table with the fastest configuration of each Run or group of repeats; None for a single one."""
    if section.comparison is None or len(section.comparison.reliability) < 2:
        return None
    return html_table(_table(section, section.comparison), notes=False)


def _table(section: BundleSection, comparison: Comparison) -> Table:
    sides = Sides(comparison.rows)
    base = next(row for row in comparison.rows if row.is_baseline)
    best = {side.run_id: _best([row for row in comparison.rows if row.run_id == side.run_id]) for side in sides.rows}
    first = next((row.quality[0] for row in best.values() if row and row.quality), None)
    header = [
        "machine",
        "fastest there",
        f"against {baseline_name(comparison)}\non {sides.name(base.run_id)}",
        f"ms/{comparison.unit}\n[95 %]",
        f"{first.name}{', %' if first.percent else ''}" if first else "",
        "an offload\npays",
        "times\nreliable",
    ]
    trusted = {side.run_ids[0]: side.trusted for side in comparison.reliability}
    rows = [
        [
            f"{sides.name(run_id)} = {section.machines[run_id]}" if sides.letters else section.machines[run_id],
            *_cells(row, comparison, [each for each in best.values() if each]),
            "EMULATED" if row and row.emulated else _RELIABLE[trusted[run_id]],
        ]
        for run_id, row in best.items()
    ]
    kept = [number for number, name in enumerate(header) if name and any(row[number] for row in rows)]
    return Table(
        "The fastest configuration of each machine",
        [header[number] for number in kept],
        [[row[number] for number in kept] for row in rows],
        keys=2,
    )


def _best(rows: Sequence[Row]) -> Row | None:
    """Return the configuration with the lowest time of a Run; of an emulated one the first, None of a failed one."""
    timed = [row for row in rows if row.time and (row.emulated or row.fastest_in_run)]
    return min(timed, key=lambda row: 0 if row.emulated or not row.time else row.time.milliseconds, default=None)


def _cells(row: Row | None, comparison: Comparison, beside: Sequence[Row]) -> list[str]:
    """Return the cells from the name of the configuration to the verdict on an offload."""
    if row is None:
        return ["nothing was measured", *[""] * 4]
    if row.emulated:
        return ["EMULATED: unknown", "", "", "", ""]
    equal = sum(each.fastest_in_run for each in comparison.rows if each.run_id == row.run_id) - 1
    name = configuration_name(row.configuration, comparison.rows)
    speed = speed_text(row)
    others = f", {equal} as fast" if row.time and row.time.interval else ", not compared: one process"
    return [
        f"{name}{others}" if equal > 0 else name,
        f"{speed}{UNRELIABLE if speed and row.verdict_reliable is False else ''}",
        f"{time_text(row, beside)}{UNRELIABLE if row.unstable else ''}",
        quality_text(row),
        _offload(row, comparison),
    ]


def _offload(row: Row, comparison: Comparison) -> str:
    """Return what an offload of the original may cost, against the fastest light model of the row's Run.

    Of several originals, that on another machine counts, as an offload would go there.
    """
    slacks = [each for each in comparison.slacks if each.light_run == row.run_id]
    return break_even_text(min(slacks, key=lambda slack: (slack.same_machine, slack.seconds))) if slacks else ""
