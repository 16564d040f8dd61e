"""The paper's Figure 5: accuracy and inference time of every variant, with intervals and all trials.

Of other tasks, their first quality measure takes the place of accuracy.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_bench.app.figures.drawing.axes import Rows, grid, name_rows, scale_for
from edge_bench.app.figures.drawing.canvas import Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.entries import Entry, assumption
from edge_bench.app.figures.drawing.quality import QualityAxis, quality_axis
from edge_bench.app.render.escaping import one_line
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import MUTED
from edge_bench.app.render.units import percent, significant
from edge_bench.bench.records.run import CLASSIFY
from edge_bench.bench.stats.intervals import median_interval_over_processes

__all__ = ["accuracy_and_time"]

_TIME = "Time of whole passes per example: every trial is a faint dot, with the median and its 95 % interval on top."


def accuracy_and_time(entries: Sequence[Entry]) -> Drawing:
    """Return two panels with the same rows: quality and time, with their intervals; without true values only time.

    All entries must be of one task.
    """
    axis = _axis(entries)
    name = axis.name if axis else ""
    interval = "its Wilson 95 % interval" if entries[0].run.task == CLASSIFY else "its 95 % interval"
    compared = "accuracies" if entries[0].run.task == CLASSIFY else "them"
    quality = (
        f"{name} with {interval}. {_TIME} To compare {compared}, use the paired differences in the table: the "
        f"intervals shown here may overlap although the same images show a difference.{assumption(entries)}"
    )
    return Drawing(
        name="accuracy-and-time" if entries[0].run.task == CLASSIFY else "quality-and-time",
        title=f"{name} and inference time" if axis else "Inference time",
        caption=quality if axis else _TIME,
        description=_describe(entries, axis),
        draw=lambda layout: _draw(entries, axis, layout),
    )


def _axis(entries: Sequence[Entry]) -> QualityAxis | None:
    return quality_axis(entries[0].run.task, [entry.quality for entry in entries])


def _describe(entries: Sequence[Entry], axis: QualityAxis | None) -> str:
    descriptions = []
    for entry in entries[:12]:
        time = (
            "emulated, no time"
            if entry.emulated
            else f"{significant(float(np.median(entry.image_milliseconds)))} ms/{entry.run.unit}"
        )
        parts = [_described_quality(entry, axis), time] if axis else [time]
        descriptions.append(f"{entry.full_name}: {', '.join(parts)}")
    more = "; and more." if entries[12:] else "."
    return f"{axis.name if axis else 'Time'}{' and time' if axis else ''} of each configuration. " + (
        "; ".join(descriptions) + more
    )


def _described_quality(entry: Entry, axis: QualityAxis) -> str:
    is_accuracy, quality = entry.run.task == CLASSIFY, entry.quality
    if quality is None or quality.value is None:
        return "no accuracy" if is_accuracy else f"no {axis.name}"
    if is_accuracy:
        return f"{percent(quality.value)} % right"
    return f"{axis.name} {percent(quality.value)} %" if axis.percent else f"{axis.name} {significant(quality.value)}"


def _draw(entries: Sequence[Entry], axis: QualityAxis | None, layout: Layout) -> Any:
    rows = Rows([entry.name for entry in entries], [entry.machine for entry in entries])
    height = 0.62 + 0.19 * rows.height
    if axis is None:
        figure, (panel,) = new_figure(layout, height)
        name_rows(panel, rows)
        _draw_times(panel, entries, rows)
        return figure
    figure, (left, right) = (
        new_figure(layout, 2 * height, rows=2) if layout.narrow else new_figure(layout, height, columns=2)
    )
    name_rows(left, rows)
    name_rows(right, rows, labels=layout.narrow)
    _draw_qualities(left, entries, axis, rows)
    _draw_times(right, entries, rows)
    return figure


def _draw_qualities(panel: Any, entries: Sequence[Entry], axis: QualityAxis, rows: Rows) -> None:
    assumed = any(entry.run.accuracy_assumed for entry in entries)
    panel.set(title=f"{axis.name} (ASSUMED)" if assumed else axis.name, xlabel=axis.label)
    grid(panel, "x")
    for entry, y in zip(entries, rows.positions, strict=True):
        quality = entry.quality
        if quality is None or quality.value is None:
            reason = "no true labels" if quality is None else one_line(quality.remark, 60)
            panel.text(0.02, y, reason, transform=panel.get_yaxis_transform(), color=MUTED, va="center")
            continue
        value, interval, colour = axis.shown(quality.value), quality.interval, colour_of(entry.variant)
        if interval is not None:
            panel.plot([axis.shown(interval.low), axis.shown(interval.high)], [y, y], color=colour, linewidth=1.3)
        panel.plot(value, y, marker="o", markersize=4.2, color=colour, linestyle="none")
    panel.locator_params(axis="x", nbins=5)


def _draw_times(panel: Any, entries: Sequence[Entry], rows: Rows) -> None:
    panel.set(title="Inference time", xlabel=f"ms/{entries[0].run.unit}")
    grid(panel, "x")
    extremes: list[float] = []
    for entry, y in zip(entries, rows.positions, strict=True):
        if entry.emulated:
            panel.text(0.02, y, "EMULATED: no time", transform=panel.get_yaxis_transform(), color=MUTED, va="center")
            continue
        values = entry.image_milliseconds
        extremes += [float(values.min()), float(values.max())]
        colour = colour_of(entry.variant)
        interval = median_interval_over_processes(entry.image_milliseconds_by_process)
        panel.scatter(values, np.full(len(values), y), s=9, color=colour, alpha=0.22, linewidths=0)
        if interval:  # which may be wider than all trials
            extremes += [interval.low, interval.high]
            panel.plot([interval.low, interval.high], [y, y], color=colour, linewidth=1.6)
        panel.plot(float(np.median(values)), y, marker="o", markersize=4.2, color=colour, linestyle="none")
    if extremes:
        scale_for(panel.xaxis, min(extremes), max(extremes))
    else:
        panel.set_xticks([])
