"""The distribution of single latencies: where the time of a pass comes from, and how long its tail is."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_bench.app.figures.drawing.axes import Rows, name_rows, scale_for
from edge_bench.app.figures.drawing.canvas import Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.labels import Entry
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import INK
from edge_bench.app.render.units import significant

__all__ = ["latency_distribution"]

_BINS = 140


def latency_distribution(entries: Sequence[Entry]) -> Drawing:
    """One ridge a real configuration: all invocations of all its trials, on a common axis."""
    samples = [entry.result.latencies_ms_per_image() for entry in entries]
    marks = [np.percentile(sample, [50, 90, 99]) for sample in samples]
    said = "; ".join(
        f"{entry.full_name}: p50 {significant(p[0])}, p90 {significant(p[1])}, p99 {significant(p[2])} ms"
        for entry, p in zip(entries[:12], marks, strict=False)
    )
    return Drawing(
        name="latency",
        title="Latency within the trials",
        caption="All invocations of all trials, input and output copies included, divided by the batch size. Long "
        "tick: p50; short ticks: p90 and p99, within this run. Heights are scaled row by row; the slowest 0.1 % "
        "may lie beyond the axis.",
        description=f"Distribution of the latency an image. {said}.",
        draw=lambda layout: _draw(entries, samples, marks, layout),
    )


def _draw(entries: Sequence[Entry], samples: Sequence[Any], marks: Sequence[Any], layout: Layout) -> Any:
    rows = Rows([entry.name for entry in entries], [entry.machine for entry in entries])
    figure, (panel,) = new_figure(layout, 0.6 + 0.29 * rows.height)
    name_rows(panel, rows)
    panel.set_xlabel("milliseconds an image")
    low = min(float(np.percentile(sample, 0.1)) for sample in samples)
    high = max(float(np.percentile(sample, 99.9)) for sample in samples)
    scale_for(panel.xaxis, low, high)
    edges = _edges(panel, low, high)
    middles = (edges[:-1] + edges[1:]) / 2
    for entry, sample, mark, y in zip(entries, samples, marks, rows.image_positions, strict=True):
        counts = np.histogram(sample, edges)[0].astype(np.float64)
        tops = y + 0.36 - 0.74 * counts / max(counts.max(), 1)
        there = np.flatnonzero(counts)
        part = slice(max(there[0] - 1, 0), there[-1] + 2) if len(there) else slice(0, 0)
        colour = colour_of(entry.variant)
        panel.fill_between(middles[part], y + 0.36, tops[part], color=colour, alpha=0.3, linewidth=0)
        panel.plot(middles[part], tops[part], color=colour, linewidth=0.9)
        for place, size in zip(mark, (0.3, 0.16, 0.16), strict=True):
            panel.plot([place, place], [y + 0.36, y + 0.36 - size], color=INK, linewidth=1.1)
    return figure


def _edges(panel: Any, low: float, high: float) -> Any:
    """Bins of one width on the screen."""
    if panel.get_xscale() == "log":
        return np.geomspace(low / 1.02, high * 1.02, _BINS + 1)
    return np.linspace(low * 0.98, high * 1.02, _BINS + 1)
