"""The paper's Figure 5: accuracy and inference time of every variant, with intervals and all trials."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_bench.app.figures.drawing.axes import Rows, grid, name_rows, scale_for
from edge_bench.app.figures.drawing.canvas import Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.entries import Entry, assumption
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import MUTED
from edge_bench.app.render.units import percent, significant
from edge_bench.bench.stats.intervals import median_interval_over_processes, wilson

__all__ = ["accuracy_and_time"]


def accuracy_and_time(entries: Sequence[Entry]) -> Drawing:
    """Return two panels with the same rows: accuracy with Wilson's interval, time with the median's interval."""
    return Drawing(
        name="accuracy-and-time",
        title="Accuracy and inference time",
        caption="Accuracy with its Wilson 95 % interval; time with every trial as a faint dot, the median and its 95 % "
        "interval on top. Compare accuracies by the paired differences in the table: these intervals overlap even "
        f"where the same images decide.{assumption(entries)}",
        description=_describe(entries),
        draw=lambda layout: _draw(entries, layout),
    )


def _describe(entries: Sequence[Entry]) -> str:
    descriptions = []
    for entry in entries:
        accuracy = "no accuracy" if entry.correct is None else f"{percent(entry.correct / entry.seen)} % right"
        time = (
            "emulated, no time"
            if entry.emulated
            else f"{significant(float(np.median(entry.image_milliseconds)))} ms an image"
        )
        descriptions.append(f"{entry.full_name}: {accuracy}, {time}")
    more = "; and more." if descriptions[12:] else "."
    return "Accuracy and time of each configuration. " + "; ".join(descriptions[:12]) + more


def _draw(entries: Sequence[Entry], layout: Layout) -> Any:
    rows = Rows([entry.name for entry in entries], [entry.machine for entry in entries])
    height = 0.62 + 0.19 * rows.height
    figure, (left, right) = (
        new_figure(layout, 2 * height, rows=2) if layout.narrow else new_figure(layout, height, columns=2)
    )
    name_rows(left, rows)
    name_rows(right, rows, labels=layout.narrow)
    _draw_accuracies(left, entries, rows)
    _draw_times(right, entries, rows)
    return figure


def _draw_accuracies(panel: Any, entries: Sequence[Entry], rows: Rows) -> None:
    assumed = any(entry.run.accuracy_assumed for entry in entries)
    panel.set(title="Accuracy (ASSUMED)" if assumed else "Accuracy", xlabel="% of images right")
    grid(panel, "x")
    for entry, y in zip(entries, rows.positions, strict=True):
        if entry.correct is None:
            panel.text(0.02, y, "no true labels", transform=panel.get_yaxis_transform(), color=MUTED, va="center")
            continue
        interval = wilson(entry.correct, entry.seen)
        panel.plot([100 * interval.low, 100 * interval.high], [y, y], color=colour_of(entry.variant), linewidth=1.3)
        panel.plot(
            100 * entry.correct / entry.seen, y, marker="o", markersize=4.2, color=colour_of(entry.variant),
            linestyle="none",
        )  # fmt: skip
    panel.locator_params(axis="x", nbins=5)


def _draw_times(panel: Any, entries: Sequence[Entry], rows: Rows) -> None:
    """Draw seconds per pass, or milliseconds per image if passes have different numbers of images."""
    images = {entry.images for entry in entries}
    per_pass = len(images) == 1
    factor = next(iter(images)) / 1e3 if per_pass else 1.0
    panel.set(
        title="Inference time",
        xlabel=f"seconds a pass of {next(iter(images)):,} images" if per_pass else "milliseconds an image",
    )
    grid(panel, "x")
    extremes: list[float] = []
    for entry, y in zip(entries, rows.positions, strict=True):
        if entry.emulated:
            panel.text(0.02, y, "EMULATED: no time", transform=panel.get_yaxis_transform(), color=MUTED, va="center")
            continue
        values = entry.image_milliseconds * factor
        extremes += [float(values.min()), float(values.max())]
        colour = colour_of(entry.variant)
        interval = median_interval_over_processes([part * factor for part in entry.image_milliseconds_by_process])
        panel.scatter(values, np.full(len(values), y), s=9, color=colour, alpha=0.22, linewidths=0)
        if interval:
            panel.plot([interval.low, interval.high], [y, y], color=colour, linewidth=1.6)
        panel.plot(float(np.median(values)), y, marker="o", markersize=4.2, color=colour, linestyle="none")
    if extremes:
        scale_for(panel.xaxis, min(extremes), max(extremes))
    else:
        panel.set_xticks([])
