"""Tables of changes over time: one answer per series, and one row per Run."""

from collections.abc import Sequence
from typing import Any

import msgspec

from edge_bench.app.render.table import Lazy, Table
from edge_bench.app.render.text.sparkline import sparkline
from edge_bench.app.render.units import marked, percent, significant, with_interval
from edge_bench.app.tables.runs.quality import quality_heading, value_text
from edge_bench.app.tables.shared import (
    CONFIGURATION_KEYS,
    UNRELIABLE,
    UNRELIABLE_NOTE,
    configuration_cells,
    has_delegates,
    ratio_record,
    since_text,
    verdict_cell,
)
from edge_bench.bench.analysis.over_time.changes import Change, Kind
from edge_bench.bench.analysis.over_time.history import Point, Series
from edge_bench.bench.analysis.times.timings import Estimator
from edge_bench.bench.records.run import CLASSIFY
from edge_bench.bench.stats.chart_records import RULES, Mark
from edge_bench.bench.stats.ratios import Ratio, Verdict
from edge_bench.bench.wording import counted

__all__ = ["answer", "answers_table", "group_letters", "group_names", "history_table", "size_of_change"]

_ACCURACY = "accuracy\n%"
_HEADER = (
    *CONFIGURATION_KEYS, "images", "measured (UTC)", "ms/image\nmedian [95 %]", "over time",
    "× reference\n[95 %, one Run]", "change", _ACCURACY, "other changes",
)  # fmt: skip
#: Marks that are shown if the verdict is neither faster nor slower.
_SHOWN_MARKS = (Mark.OUTLIER, Mark.UNCONFIRMED)
_CHANGE_VERDICTS = (Verdict.FASTER, Verdict.SLOWER)


def answers_table(all_series: Sequence[Series]) -> Table:
    """Return one row per series, with a sentence on whether its times have changed."""
    groups = group_names(all_series)
    letters = group_letters(groups)
    estimators = list(dict.fromkeys(series.estimator for series in all_series))
    keys = _keys(all_series)
    cells = [
        [
            *configuration_cells(series.configuration)[:keys],
            _images(series),
            str(len(series.points)),
            *([series.estimator.value] if len(estimators) > 1 else []),
            answer(series),
        ]
        for series in all_series
    ]
    header = [*CONFIGURATION_KEYS[:keys], "images", "Runs", *(["statistic"] if len(estimators) > 1 else []), "answer"]
    return Table(
        title="Changes over time" if letters or not groups else f"Changes over time, {groups[0]}",
        header=["machine", *header] if letters else header,
        rows=[[letters[group], *row] for group, row in zip(groups, cells, strict=True)] if letters else cells,
        keys=keys + bool(letters),
        notes=[f"{letter} = {group}" for group, letter in letters.items()],
        records=[_series_record(series) | {"answer": answer(series)} for series in all_series],
        groups=[f"{letters[group]} = {group}" for group in groups] if letters else (),
    )


def answer(series: Series) -> str:
    """Return whether the times of a series have changed, in one sentence."""
    if series.emulated:
        return "EMULATED: no verdict on time"
    if not series.judged:
        return f"too few runs: {len(series.points)} of at least {series.least}"
    parts = _answer_parts(series)
    if not parts:
        parts.append(f"no change in {counted(len(series.points), 'run')}")
    last = series.points[-1]
    if last.mark is Mark.UNCONFIRMED and last.ratio:
        parts.append(f"the last run is {size_of_change(last.ratio)}: run again to confirm")
    return "; ".join(parts)


def _answer_parts(series: Series) -> list[str]:
    steps = [change for change in series.changes if change.kind is Kind.STEP]
    creep = next((change for change in series.changes if change.kind is Kind.CREEP and change.lasts), None)
    before = f"than before the first of {len(series.changes)} changes"
    if creep and series.total:  # the ratio of the step alone would include part of the creep
        first = series.changes[0].began[:10]
        size = size_of_change(series.total)
        return [f"{size} in the last {RULES.window} runs {before} ({first}), and gradually {creep.verdict} (creep)"]
    doubt = UNRELIABLE if steps and series.points[steps[-1].index].verdict_reliable is False else ""
    parts = [f"{size_of_change(steps[-1].ratio)} since {since_text(steps[-1])}{doubt}"] if steps else []
    if series.total:
        parts.append(f"{size_of_change(series.total)} {before}")
    return [*parts, _creep(creep)] if creep else parts


def history_table(all_series: Sequence[Series], notes: Sequence[str] = ()) -> Table:
    """Return one row per Run and configuration, grouped by machine, dataset and bundle.

    Rows and records are made when they are read, because there may be 100,000.
    """
    groups, keys = group_names(all_series), _keys(all_series)
    letters = group_letters(groups)
    headings = [f"{letters[group]} = {group}" if letters else "" for group in groups]
    answers = list(map(answer, all_series))
    places = [(number, index) for number, series in enumerate(all_series) for index in range(len(series.points))]

    def cells(place: tuple[int, int]) -> list[str]:
        number, index = place
        return [*([letters[groups[number]]] if letters else []), *_cells(all_series[number], index, keys)]

    def record(place: tuple[int, int]) -> dict[str, Any]:
        number, index = place
        return _record(all_series[number], index) | {"answer": answers[number]}

    return Table(
        title="Over time" if letters or not groups else f"Over time, {groups[0]}",
        header=["machine", *_headings(all_series)] if letters else _headings(all_series),
        rows=Lazy(cells, places),
        keys=keys + bool(letters),
        notes=[
            *(dict.fromkeys(headings) if letters else ()),
            *_column_notes(all_series),
            *(f"NOTE: {note}" for note in notes),
        ],
        records=Lazy(record, places),
        groups=Lazy(lambda place: headings[place[0]], places) if letters else (),
    )


def _keys(all_series: Sequence[Series]) -> int:
    """Return the number of columns that identify a configuration."""
    return len(CONFIGURATION_KEYS) - (not has_delegates(series.configuration for series in all_series))


def group_names(all_series: Sequence[Series]) -> list[str]:
    """Return the name of each series' group: its machine, dataset and bundle."""
    return [f"{series.machine}, {series.dataset}, bundle {series.bundle[:8]}" for series in all_series]


def group_letters(groups: Sequence[str]) -> dict[str, str]:
    """Return a letter for each group; empty if there is only one."""
    names = list(dict.fromkeys(groups))
    return {name: chr(ord("A") + number % 26) for number, name in enumerate(names)} if len(names) > 1 else {}


def _column_notes(all_series: Sequence[Series]) -> list[str]:
    """Return notes that explain the columns of these series."""
    estimators = {series.estimator for series in all_series}
    times = {
        Estimator.TYPICAL: "times are of each trial's median invocation",
        Estimator.WHOLE: "times are of whole passes, because some Runs have too few invocations per trial for a median",
    }
    found = [times[estimator] for estimator in Estimator if estimator in estimators and len(estimators) == 1]
    if any(series.judged for series in all_series):
        found.append(
            "× reference: this Run's time divided by the mean of earlier Runs since the last step. [95 %, one Run]: "
            "range of this ratio due to run-to-run variation"
        )
    points = [point for series in all_series for point in series.points]
    if any(point.verdict in _CHANGE_VERDICTS and point.verdict_reliable is False for point in points):
        found.append(UNRELIABLE_NOTE)
    return found


def _no_verdict(series: Series, point: Point) -> str:
    """Return why a Run has no verdict; empty if it has one."""
    if point.verdict is not None:
        return ""
    if series.emulated:
        return "EMULATED: no verdict on time"
    return f"too few runs before it: changes are judged from run {RULES.minimum + 1}"


def size_of_change(ratio: Ratio) -> str:
    """Return ``10 % slower`` or, from twice or half the time, ``2.5× slower``."""
    verdict = Verdict.SLOWER if ratio.value > 1 else Verdict.FASTER
    times = max(ratio.value, 1 / ratio.value)
    if times >= 2:
        return f"{significant(times)}× {verdict}"
    return f"{significant(100 * abs(ratio.value - 1), 2)} % {verdict}"


def _creep(change: Change) -> str:
    difference = 100 * (change.ratio.value - 1)
    size = f"{'+' if difference > 0 else '-'}{significant(abs(difference), 2)} %"
    return (
        f"gradually {change.verdict} (creep): {size} in the last {change.runs_after} runs compared with the first "
        f"{counted(change.runs_before, 'run')}"
    )


def _images(series: Series) -> str:
    return f"{series.images:,}{' resampled' if series.resample else ''}"


def _cells(series: Series, number: int, keys: int) -> list[str]:
    point, is_last = series.points[number], number == len(series.points) - 1
    ratio, verdict, changed = point.ratio, point.verdict, point.changed
    change = _change_at(series, number)
    return [
        *configuration_cells(series.configuration)[:keys],
        _images(series),
        point.began[:16].replace("T", " "),
        "EMULATED" if series.emulated else with_interval(point.median, point.interval, scale=1e3),
        sparkline([p.median for p in series.points]) if is_last and not series.emulated else "",
        with_interval(ratio.value, ratio.interval) if ratio else "",
        verdict_cell(str(verdict), point.verdict_reliable)
        if verdict in _CHANGE_VERDICTS
        else str(point.mark)
        if point.mark in _SHOWN_MARKS
        else "",
        _quality(series, point),
        "; ".join([*_change_notes(change, changed), *changed]),
    ]


def _quality(series: Series, point: Point) -> str:
    """Return the accuracy, or the first measure of another task with its name."""
    if series.task == CLASSIFY:
        known = point.correct is not None
        text = percent(point.correct / point.seen) if point.correct is not None else ""
        return marked(text, assumed=point.accuracy_assumed) if known else ""
    return marked(value_text(point.quality), assumed=point.accuracy_assumed)


def _headings(all_series: Sequence[Series]) -> list[str]:
    """Return the headings of the rows of Runs. If all series have one task, they name its unit and measure."""
    header, tasks = list(_HEADER), {series.task for series in all_series}
    if {series.unit for series in all_series} == {"inference"}:
        header = [name.replace("image", "inference") for name in header]
    if tasks and CLASSIFY not in tasks:
        measures = [point.quality for series in all_series for point in series.points]
        header[_HEADER.index(_ACCURACY)] = (quality_heading(measures) if len(tasks) == 1 else "") or "quality"
    elif len(tasks) > 1:
        header[_HEADER.index(_ACCURACY)] = "accuracy, %\nor quality"
    del header[_keys(all_series) : len(CONFIGURATION_KEYS)]
    return header


def _change_notes(change: Change | None, changed: Sequence[str]) -> list[str]:
    """Return the size of a creep, and differences near a change that the row's own Run does not show."""
    if change is None:
        return []
    creep = [f"creep: {significant(change.ratio.value)}×"] if change.kind is Kind.CREEP else []
    others = ", ".join(text for text in change.differences if text not in changed)
    return [*creep, *([f"near this {change.kind}: {others}"] if others else [])]


def _change_at(series: Series, number: int) -> Change | None:
    return next((change for change in series.changes if change.index == number), None)


def _series_record(series: Series) -> dict[str, Any]:
    return {
        "machine": series.machine,
        "emulated": series.emulated,
        "bundle": series.bundle,
        "dataset": series.dataset,
        **msgspec.structs.asdict(series.configuration),
        "images": series.images,
        "resample": series.resample,
        "estimator": series.estimator.value,
    }


def _record(series: Series, number: int) -> dict[str, Any]:
    point, change = series.points[number], _change_at(series, number)
    size = {
        name.replace("time", "change"): value for name, value in ratio_record(change.ratio if change else None).items()
    }
    return {
        **_series_record(series),
        "run": point.run_id,
        "began": point.began,
        "night": point.night,
        "trials": point.trials,
        "image_median_ms": 1e3 * point.median,
        "reference_ms": None if point.reference is None else 1e3 * point.reference,
        **ratio_record(point.ratio),
        "mark": point.mark.value if point.mark else None,
        "change": point.verdict.value if point.verdict else None,
        "verdict_reliable": point.verdict_reliable,
        "verdict_reason": _no_verdict(series, point),
        "trusted": point.trusted,
        "unstable": point.unstable,
        "change_kind": change.kind.value if change else None,
        **size,
        "changed_around": "; ".join(change.differences) if change else None,
        "accuracy": None if point.correct is None else point.correct / point.seen,
        "accuracy_assumed": point.accuracy_assumed,
        "task": series.task,
        "quality_measure": point.quality.name if point.quality else None,
        "quality_value": point.quality.value if point.quality else None,
        "quality": msgspec.to_builtins(point.quality),
        "changed": "; ".join(point.changed),
    }
