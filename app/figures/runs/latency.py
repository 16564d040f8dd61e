"""The distribution of latencies within the trials, with its percentiles."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_bench.app.figures.drawing.axes import Rows, name_rows, scale_for
from edge_bench.app.figures.drawing.canvas import Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.entries import Entry
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import INK
from edge_bench.app.render.units import significant
from edge_bench.bench.stats.latency import Percentile, percentiles

__all__ = ["latency_distribution"]

_BINS = 140


def latency_distribution(entries: Sequence[Entry]) -> Drawing:
    """Return one density per configuration of all invocations of all trials; entries must not be emulated."""
    samples = [entry.result.latencies_ms_per_image() for entry in entries]
    marks = [percentiles(entry.result.latencies_ms_by_process()) for entry in entries]
    summary = "; ".join(
        f"{entry.full_name}: {_description(estimates)}" for entry, estimates in zip(entries[:12], marks, strict=False)
    )
    return Drawing(
        name="latency",
        title="Latency of invocations",
        caption="All invocations of all trials divided by the batch size, including the copies of inputs and outputs. "
        "Long tick: p50. Short ticks: p90 and p99, if there are enough invocations. Each row has its own height. "
        "The slowest 0.1 % may be beyond the axis.",
        description=f"Distribution of the latency per {entries[0].run.unit}. {summary}.",
        draw=lambda layout: _draw(entries, samples, marks, layout),
    )


def _description(estimates: Sequence[Percentile]) -> str:
    known = [f"p{each.percentile:g} {significant(each.value)}" for each in estimates if each.value is not None]
    return f"{', '.join(known)} ms" if known else "too few latencies for percentiles"


def _draw(
    entries: Sequence[Entry], samples: Sequence[Any], marks: Sequence[Sequence[Percentile]], layout: Layout
) -> Any:
    rows = Rows([entry.name for entry in entries], [entry.machine for entry in entries])
    figure, (panel,) = new_figure(layout, 0.6 + 0.29 * rows.height)
    name_rows(panel, rows)
    panel.set_xlabel(f"ms/{entries[0].run.unit}")
    low = min(float(np.percentile(sample, 0.1)) for sample in samples)
    high = max(float(np.percentile(sample, 99.9)) for sample in samples)
    scale_for(panel.xaxis, low, high)
    edges = _bin_edges(panel, low, high)
    centres = (edges[:-1] + edges[1:]) / 2
    for entry, sample, estimates, y in zip(entries, samples, marks, rows.positions, strict=True):
        counts = np.histogram(sample, edges)[0].astype(np.float64)
        heights = y + 0.36 - 0.74 * counts / max(counts.max(), 1)
        occupied = np.flatnonzero(counts)
        part = slice(max(occupied[0] - 1, 0), occupied[-1] + 2) if len(occupied) else slice(0, 0)
        colour = colour_of(entry.variant)
        panel.fill_between(centres[part], y + 0.36, heights[part], color=colour, alpha=0.3, linewidth=0)
        panel.plot(centres[part], heights[part], color=colour, linewidth=0.9)
        for estimate, length in zip(estimates, (0.3, 0.16, 0.16), strict=True):
            if estimate.value is not None:
                panel.plot([estimate.value] * 2, [y + 0.36, y + 0.36 - length], color=INK, linewidth=1.1)
    return figure


def _bin_edges(panel: Any, low: float, high: float) -> Any:
    """Return edges of bins that are equally wide on the panel's scale, shape [bins + 1]."""
    if panel.get_xscale() == "log":
        return np.geomspace(low / 1.02, high * 1.02, _BINS + 1)
    return np.linspace(low * 0.98, high * 1.02, _BINS + 1)
