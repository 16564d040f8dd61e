"""The table of configurations over time."""

from collections.abc import Sequence
from typing import Any

import msgspec

from edge_bench.app.render.table import Table
from edge_bench.app.render.text.sparkline import sparkline
from edge_bench.app.render.units import marked, percent, with_interval
from edge_bench.app.tables.shared import configuration_cells, ratio_record
from edge_bench.bench.analysis.over_time.history import Point, Series

__all__ = ["group_names", "history_table"]

_HEADER = (
    "variant", "runtime", "threads", "batch", "measured (UTC)", "ms an image\nmedian [95 %]", "over time",
    "× the one before\n[95 %]", "change", "accuracy\n%", "what else changed",
)  # fmt: skip


def history_table(all_series: Sequence[Series], notes: Sequence[str] = ()) -> Table:
    """Return one row per Run and configuration, grouped by machine, dataset and bundle, with notes below."""
    groups = group_names(all_series)
    several = len(set(groups)) > 1
    rows, records, row_groups = [], [], []
    for series, group in zip(all_series, groups, strict=True):
        letter = chr(ord("A") + list(dict.fromkeys(groups)).index(group) % 26)
        for number, point in enumerate(series.points):
            rows.append([*([letter] if several else []), *_cells(series, number)])
            records.append(_record(series, point))
            row_groups.append(f"{letter} = {group}")
    return Table(
        title="Over time" if several or not groups else f"Over time, {groups[0]}",
        header=("machine", *_HEADER) if several else _HEADER,
        rows=rows,
        keys=5 if several else 4,
        notes=[*(dict.fromkeys(row_groups) if several else ()), *(f"NOTE: {note}" for note in notes)],
        records=records,
        groups=row_groups if several else (),
    )


def group_names(all_series: Sequence[Series]) -> list[str]:
    """Return the name of each series' group: its machine, dataset and bundle."""
    return [f"{series.machine}, {series.dataset}, bundle {series.bundle[:8]}" for series in all_series]


def _cells(series: Series, number: int) -> list[str]:
    point, is_last = series.points[number], number == len(series.points) - 1
    return [
        *configuration_cells(series.configuration),
        point.began[:16].replace("T", " "),
        "EMULATED" if series.emulated else with_interval(point.median, point.interval, scale=1e3),
        sparkline([p.median for p in series.points]) if is_last and not series.emulated else "",
        with_interval(point.ratio.value, point.ratio.interval) if point.ratio else "",
        str(point.verdict or ""),
        "" if point.correct is None else marked(percent(point.correct / point.seen), assumed=point.accuracy_assumed),
        "; ".join(point.changed),
    ]


def _record(series: Series, point: Point) -> dict[str, Any]:
    return {
        "machine": series.machine,
        "emulated": series.emulated,
        "bundle": series.bundle,
        "dataset": series.dataset,
        **msgspec.structs.asdict(series.configuration),
        "run": point.run_id,
        "began": point.began,
        "images": point.images,
        "trials": point.trials,
        "image_median_ms": 1e3 * point.median,
        **ratio_record(point.ratio),
        "change": point.verdict.value if point.verdict else None,
        "accuracy": None if point.correct is None else point.correct / point.seen,
        "accuracy_assumed": point.accuracy_assumed,
        "changed": "; ".join(point.changed),
    }
