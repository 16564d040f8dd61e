"""Series over time as a table, and as a page with a picture of each machine."""

from collections.abc import Sequence
from typing import Any

from app.presentation.html import Html, element, page
from app.presentation.html_table import html_table
from app.presentation.sparkline import sparkline
from app.presentation.tables import Table
from app.presentation.units import percent, with_interval
from bench.history import Point, Series
from bench.stats import Interval

__all__ = ["history_drawings", "history_page", "history_table"]

_HEADER = (
    "variant", "runtime", "threads", "batch", "measured (UTC)", "ms an image\nmedian [95 %]", "over time",
    "× the one before\n[95 %]", "change", "accuracy\n%", "what else changed",
)  # fmt: skip


def history_table(series: Sequence[Series]) -> Table:
    """One row a Run and configuration; a machine's rows stand together."""
    groups = _groups(series)
    several = len(set(groups)) > 1
    rows, records, row_groups = [], [], []
    for one, group in zip(series, groups, strict=True):
        for number, point in enumerate(one.points):
            letter = chr(ord("A") + list(dict.fromkeys(groups)).index(group) % 26)
            rows.append([*([letter] if several else []), *_cells(one, number)])
            records.append(_record(one, point))
            row_groups.append(f"{letter} = {group}")
    return Table(
        title="Over time" if several or not groups else f"Over time, {groups[0]}",
        header=("machine", *_HEADER) if several else _HEADER,
        rows=rows,
        keys=5 if several else 4,
        notes=list(dict.fromkeys(row_groups)) if several else [],
        records=records,
        groups=row_groups if several else (),
    )


def history_page(series: Sequence[Series]) -> str:
    """The table and the pictures, self-contained."""
    from app.presentation.figures.svg import figure_element
    from app.presentation.report.style import STYLE

    table = history_table(series)
    figures: list[Html] = [
        figure_element(drawing, number, f"f{number}")
        for number, drawing in enumerate(history_drawings(series), start=1)
    ]
    return page(
        f"edge-bench: {table.title}",
        STYLE,
        element("main", element("h1", table.title), *figures, html_table(table)),
    )


def history_drawings(series: Sequence[Series]) -> list[Any]:
    """One picture a machine and bundle; an emulator's times are in none."""
    from app.presentation.figures.over_time import over_time

    groups: dict[str, list[Series]] = {}
    for one, group in zip(series, _groups(series), strict=True):
        if not one.emulated:
            groups.setdefault(group, []).append(one)
    return [over_time(members) for members in groups.values()]


def _groups(series: Sequence[Series]) -> list[str]:
    return [f"{one.machine}, {one.dataset}, bundle {one.bundle[:8]}" for one in series]


def _cells(one: Series, number: int) -> list[str]:
    c, point = one.configuration, one.points[number]
    return [
        c.variant,
        c.runtime,
        str(c.threads),
        str(c.batch_size),
        point.began[:16].replace("T", " "),
        "EMULATED" if one.emulated else _milliseconds(point),
        # the course so far stands where the course ends
        sparkline([p.median for p in one.points]) if number == len(one.points) - 1 and not one.emulated else "",
        with_interval(point.ratio.value, point.ratio.interval) if point.ratio else "",
        str(point.verdict or ""),
        "" if point.correct is None else percent(point.correct / point.seen),
        "; ".join(point.changed),
    ]


def _milliseconds(point: Point) -> str:
    interval = point.interval and Interval(1e3 * point.interval.low, 1e3 * point.interval.high)
    return with_interval(1e3 * point.median, interval)


def _record(one: Series, point: Point) -> dict[str, Any]:
    c, ratio = one.configuration, point.ratio
    return {
        "machine": one.machine,
        "emulated": one.emulated,
        "bundle": one.bundle,
        "dataset": one.dataset,
        "variant": c.variant,
        "runtime": c.runtime,
        "threads": c.threads,
        "batch_size": c.batch_size,
        "run": point.run_id,
        "began": point.began,
        "images": point.images,
        "trials": point.trials,
        "image_median_ms": 1e3 * point.median,
        "time_ratio": ratio.value if ratio else None,
        "time_ratio_low": ratio.interval.low if ratio and ratio.interval else None,
        "time_ratio_high": ratio.interval.high if ratio and ratio.interval else None,
        "change": point.verdict.value if point.verdict else None,
        "accuracy": None if point.correct is None else point.correct / point.seen,
        "changed": "; ".join(point.changed),
    }
