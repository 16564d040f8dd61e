"""Cells and clauses about one row: its time, its speed against the baseline, its quality, its size."""

from collections.abc import Sequence

from edge_bench.app.render.units import percent, points_with_interval, shared_decimals, significant, size, with_interval
from edge_bench.app.tables.shared import UNRELIABLE
from edge_bench.bench.analysis.answer.answer import within_chance
from edge_bench.bench.analysis.comparison.comparison import Row
from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.stats.ratios import Ratio, Verdict

__all__ = [
    "UNRELIABLE", "inverse", "joined", "quality_clauses", "quality_text", "size_clauses", "speed_clause", "speed_text",
    "time_text",
]  # fmt: skip


def time_text(row: Row, beside: Sequence[Row] = (), *, interval: bool = True) -> str:
    """Return ``0.030 [0.029, 0.032]`` in ms per example; empty without times.

    ``beside``: the other rows of the column, whose smallest time decides how many decimals there are
    """
    if row.time is None or row.emulated:
        return ""
    decimals = shared_decimals([each.time.milliseconds for each in (row, *beside) if each.time])
    return with_interval(row.time.milliseconds, row.time.interval if interval else None, most=decimals)


def speed_text(row: Row) -> str:
    """Return ``11.7× faster``, ``same``, ``undecided`` or ``baseline``; empty if there is no verdict."""
    if row.is_baseline:
        return "baseline"
    if row.ratio is None or row.verdict is None:
        return ""
    match row.verdict:
        case Verdict.FASTER:
            return f"{significant(1 / row.ratio.value)}× faster"
        case Verdict.SLOWER:
            return f"{significant(row.ratio.value)}× slower"
        case _:
            return str(row.verdict)


def speed_clause(row: Row, baseline: str) -> str:
    """Return ``11.7× faster than keras [10.1, 13.5]``; empty for the baseline and without a verdict."""
    if row.is_baseline or row.ratio is None or row.verdict is None:
        return ""
    ratio = inverse(row.ratio) if row.verdict is Verdict.FASTER else row.ratio
    value, interval = significant(ratio.value), _interval(ratio)
    match row.verdict:
        case Verdict.FASTER | Verdict.SLOWER:
            return f"{value}× {row.verdict} than {baseline}{interval}"
        case Verdict.SAME:
            return f"as fast as {baseline}: {value}× its time{interval}"
        case _:
            return f"undecided against {baseline}: {value}× its time{interval or ', no interval'}"


def inverse(ratio: Ratio) -> Ratio:
    """Return a ratio of times as one of speeds."""
    interval = ratio.interval and Interval(1 / ratio.interval.high, 1 / ratio.interval.low)
    return Ratio(1 / ratio.value, interval)


def _interval(ratio: Ratio) -> str:
    return f" {with_interval(ratio.value, ratio.interval).split(' ', 1)[1]}" if ratio.interval else ""


def quality_text(row: Row) -> str:
    """Return the first measure of a row without its interval; empty without true values."""
    first = row.quality[0] if row.quality else None
    if first is None or first.value is None:
        return ""
    return percent(first.value, 1) if first.percent else significant(first.value)


def quality_clauses(row: Row) -> list[str]:
    """Return the change of quality against the baseline, from the longest to the shortest; empty if unknown."""
    difference = row.quality_differences[0] if row.quality_differences else None
    if difference is None or difference.value is None:
        return _without_difference(row)
    chance = within_chance(row, difference)
    value = 100 * difference.value if difference.percent else difference.value
    points = f"{value:+.2f}" if difference.percent else f"{'+' if value > 0 else ''}{significant(value)}"
    points = points.replace("-", "−")
    unit = " points" if difference.percent else ""
    if difference.value == 0 and (chance or chance is None):
        return [f"same {difference.name}"]
    if chance is None:
        return [f"{difference.name} {points}{unit}, no interval", f"{difference.name} {points}{unit}"]
    if chance:
        return [f"{difference.name} {points}{unit}, within chance", f"{difference.name} {points} (chance)"]
    interval = difference.interval
    if interval and difference.percent:
        text = points_with_interval(difference.value, interval).replace("-", "−")
        return [f"{difference.name} {text} points", f"{difference.name} {points} points"]
    return [f"{difference.name} {points}{unit}"]


def _without_difference(row: Row) -> list[str]:
    """Return the quality of the baseline, or how far labels or outputs agree with it; else that labels are missing."""
    if text := quality_text(row):
        first = row.quality[0]
        return [f"{first.name} {text}{' %' if first.percent else ''}"]
    if row.is_baseline:
        return ["no true values"]
    if row.agreement and row.agreement.total:
        share = f"{percent(row.agreement.same / row.agreement.total, 1)} % of labels equal"
        return [f"no true labels: {share} those of the baseline", share]
    if row.task_agreement and row.task_agreement.text:
        return [f"against the baseline: {row.task_agreement.text}", "no true values"]
    return ["no true values"]


def size_clauses(row: Row) -> list[str]:
    """Return ``135 KiB (9 %)``, its size and its share of the baseline's, then the size alone."""
    if not row.bytes:
        return [""]
    if row.is_baseline or not row.size_ratio:
        return [size(row.bytes)]
    share = f"{significant(100 * row.size_ratio, 2)} %" if row.size_ratio < 10 else f"{significant(row.size_ratio)}×"
    return [f"{size(row.bytes)} ({share})", size(row.bytes)]


def joined(clauses: Sequence[str]) -> str:
    """Return the clauses that are not empty, with semicolons between them."""
    return "; ".join(clause for clause in clauses if clause)
