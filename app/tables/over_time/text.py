"""What ``history`` prints in a terminal: the answer, a row for each series, and few notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_bench.app.render.short_table import SHORTEST_NAME, Column, ShortTable
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.short_table import short_table_lines
from edge_bench.app.render.text.sparkline import sparkline
from edge_bench.app.render.text.wrapping import wrapped
from edge_bench.app.render.units import with_interval
from edge_bench.app.tables.answer.layout import UNLIMITED, laid_out
from edge_bench.app.tables.answer.notes import shown_notes
from edge_bench.app.tables.over_time.names import lasting_change, series_name
from edge_bench.app.tables.over_time.sentences import history_lines
from edge_bench.app.tables.runs.history import answer, group_letters, group_names, size_of_change
from edge_bench.app.tables.shared import UNRELIABLE
from edge_bench.bench.analysis.over_time.changes import Kind
from edge_bench.bench.analysis.over_time.history import Series
from edge_bench.bench.analysis.times.timings import Estimator
from edge_bench.bench.records.delegate import shown_delegate
from edge_bench.bench.stats.chart_records import Mark

__all__ = ["HistoryAnswered", "history_sentences", "history_text"]

#: Rows of the table, and bars of a sparkline.
_MAX_ROWS, _BARS = 40, 10
#: Order in which columns are reduced, the highest first.
_INTERVAL, _OVER_TIME, _RUNS, _SINCE = 9, 8, 7, 6
_STATISTIC = {Estimator.TYPICAL: "times of the typical invocation", Estimator.WHOLE: "times of whole passes"}


@dataclass(frozen=True)
class HistoryAnswered:
    """Series, the notes on their Runs, and their tables with all columns."""

    series: Sequence[Series]
    notes: Sequence[str]
    tables: Sequence[Table]


def history_sentences(subject: HistoryAnswered, width: int = UNLIMITED) -> list[str]:
    """Return the lines of the answer."""
    return history_lines(subject.series, width)


def history_text(
    subject: HistoryAnswered, width: int, *, wide: bool = False, why: bool = False, limit: bool = True
) -> str:
    """Return the answer in lines of ``width`` characters, a table that fits it, and at most five notes.

    wide: the answers and all Runs, in blocks of ``width`` if ``limit``
    why: all notes
    """
    return laid_out(
        history_sentences(subject, width),
        lambda: [_short(subject.series, width)] if subject.series else [],
        lambda: shown_notes(_notes(subject), width, "--why"),
        subject.tables,
        width if limit else None,
        wide=wide,
        why=why,
    )


def _short(all_series: Sequence[Series], width: int) -> list[str]:
    shown, groups = all_series[:_MAX_ROWS], group_names(all_series)
    letters = group_letters(groups)
    legend = [f"{letter} = {group}" for group, letter in letters.items()]
    more = len(all_series) - len(shown)
    columns = _columns(shown, [letters.get(each, "") for each in groups])
    return [
        *wrapped(_title(all_series, "" if letters else groups[0]), width),
        *(line for text in legend for line in wrapped(text, width)),
        *short_table_lines(ShortTable("", columns, [""] * len(shown)), width),
        *([f"  and {more} more (--wide)"] if more else []),
        "  all Runs: --wide",
    ]


def _title(all_series: Sequence[Series], group: str) -> str:
    estimators = {series.estimator for series in all_series}
    doubtful = any(point.unstable or point.verdict_reliable is False for each in all_series for point in each.points)
    configurations = [each.configuration for each in all_series]
    settings: tuple[tuple[str, set[Any]], ...] = (
        ("threads", {each.threads for each in configurations}),
        ("batch", {each.batch_size for each in configurations}),
        ("delegate", {each.delegate for each in configurations}),
        ("images per pass", {each.images for each in all_series}),
    )
    same = [f"{name} {next(iter(values))}" for name, values in settings if len(values) == 1 and any(values)]
    statistic = [_STATISTIC[estimator] for estimator in estimators] if len(estimators) == 1 else []
    parts = [group, ", ".join(same), *statistic, "~ not reliable" if doubtful else ""]
    return "; ".join(part for part in parts if part)


def _columns(all_series: Sequence[Series], letters: Sequence[str]) -> list[Column]:
    configurations = [series.configuration for series in all_series]
    columns = [Column("machine", list(letters[: len(all_series)]), right=False)] if any(letters) else []
    columns += [
        Column("variant", [each.variant for each in configurations], right=False, shrinks_to=SHORTEST_NAME),
        Column("runtime", [each.runtime for each in configurations], right=False, shrinks_to=len("tflite-runtime")),
    ]
    numbers = (
        ("threads", [str(each.threads) for each in configurations]),
        ("batch", [str(each.batch_size) for each in configurations]),
        ("delegate", [shown_delegate(each.delegate) for each in configurations]),
        ("images", [f"{series.images:,}" for series in all_series]),
    )
    columns += [Column(name, cells) for name, cells in numbers if len(set(cells)) > 1]
    columns.append(Column("Runs", [str(len(series.points)) for series in all_series], dropped=_RUNS))
    units = {series.unit for series in all_series}
    header = f"last\nms/{units.pop() if len(units) == 1 else 'example'}"
    times, short = ([_last(series, interval=interval) for series in all_series] for interval in (True, False))
    columns.append(Column(f"{header} [95 %]", times, narrow=(header, short), narrowed=_INTERVAL))
    bars = [sparkline([point.median for point in each.points], _BARS).split(" ")[0] for each in all_series]
    bars = ["" if each.emulated else shown for each, shown in zip(all_series, bars, strict=True)]
    columns.append(Column("over time", bars, right=False, dropped=_OVER_TIME))
    changes = list(map(_change, all_series))
    short = [change.split(" since ")[0] for change in changes]
    return [*columns, Column("change", changes, right=False, narrow=("change", short), narrowed=_SINCE)]


def _last(series: Series, *, interval: bool) -> str:
    point = series.points[-1]
    if series.emulated:
        return "EMULATED"
    mark = UNRELIABLE if point.unstable else "  "
    return f"{with_interval(point.median, point.interval if interval else None, scale=1e3)}{mark}"


def _change(series: Series) -> str:
    """Return the change that lasts, in few words."""
    if series.emulated:
        return "no verdict"
    if not series.judged:
        return "too few Runs"
    change = lasting_change(series)
    if change is None:
        return "unconfirmed" if series.points[-1].mark is Mark.UNCONFIRMED else "none"
    doubt = UNRELIABLE if series.points[change.index].verdict_reliable is False else ""
    since = "gradually" if change.kind is Kind.CREEP else f"since {change.began[:10]}"
    return f"{size_of_change(change.ratio)} {since}{doubt}"


def _notes(subject: HistoryAnswered) -> list[str]:
    """Return the answers that say more than their rows, then the notes on Runs."""
    more = [
        f"- {series_name(series, subject.series)}: {answer(series)}"
        for series in subject.series
        if series.total or (series.points[-1].mark is Mark.UNCONFIRMED and series.judged)
    ]
    return [*more, *(f"NOTE: {note}" for note in subject.notes)]
