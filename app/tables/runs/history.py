"""Series over time as a table, and as a page with a picture of each machine."""

from collections.abc import Sequence
from typing import Any

from edge_bench.app.render.table import Table
from edge_bench.app.render.text.sparkline import sparkline
from edge_bench.app.render.units import percent, with_interval
from edge_bench.bench.analysis.history import Point, Series
from edge_bench.bench.stats.intervals import Interval

__all__ = ["history_table"]

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
