"""Configurations over time on one machine: each Run a dot with its interval, changes marked."""

import datetime
from collections.abc import Sequence
from typing import Any

from edge_bench.app.figures.drawing.axes import grid, plain
from edge_bench.app.figures.drawing.canvas import WARNING, Drawing, colour_of, new_figure
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import MUTED
from edge_bench.app.render.units import significant
from edge_bench.bench.analysis.history import Point, Series
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["over_time"]

_CHANGES = (Verdict.FASTER, Verdict.SLOWER)


def over_time(series: Sequence[Series]) -> Drawing:
    """All real series of one machine and one bundle, a panel each."""
    changes = [
        f"{one.configuration} {point.verdict} on {point.began[:10]}"
        for one in series
        for point in one.points
        if point.verdict in _CHANGES
    ]
    return Drawing(
        name="history",
        title=f"Over time, {series[0].machine}, {series[0].dataset}",
        caption="Median time an image of each Run with its 95 % interval. A ring marks a Run that is faster or slower "
        "than the one before it: the whole interval of their ratio is beyond ±2 %.",
        description=f"{len(series)} configurations over time. Changes: {'; '.join(changes[:12]) or 'none'}.",
        draw=lambda layout: _draw(series, layout),
    )


def _draw(series: Sequence[Series], layout: Layout) -> Any:
    columns = 1 if layout.narrow else min(2, len(series))
    rows = -(-len(series) // columns)
    figure, panels = new_figure(layout, 1.45 * rows + 0.2, rows=rows, columns=columns)
    for panel, one in zip(panels, series, strict=False):
        _panel(panel, one)
    for panel in panels[len(series) :]:
        panel.set_visible(False)
    return figure


def _panel(panel: Any, one: Series) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    c = one.configuration
    colour = colour_of(c.variant)
    times = [datetime.datetime.fromisoformat(point.began) for point in one.points]
    values = [1e3 * point.median for point in one.points]
    panel.plot(times, values, color=colour, linewidth=0.9, alpha=0.6)
    for time, point in zip(times, one.points, strict=True):
        _dot(panel, time, point, colour)
    panel.set_title(f"{c.variant} · {c.runtime}, {c.threads} thr, batch {c.batch_size}", fontweight="normal")
    panel.set_ylabel("ms an image")
    grid(panel, "y")
    low, high = min(values), max(values)
    margin = max(high - low, 0.1 * high) * 0.3
    panel.set_ylim(max(low - margin, 0), high + margin)
    panel.yaxis.set_major_locator(MaxNLocator(4))
    panel.yaxis.set_major_formatter(FuncFormatter(plain))
    if len(set(times)) == 1:
        panel.set_xlim(times[0] - datetime.timedelta(hours=1), times[0] + datetime.timedelta(hours=1))
    locator = AutoDateLocator(minticks=2, maxticks=5)
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    panel.xaxis.get_offset_text().set_color(MUTED)


def _dot(panel: Any, time: datetime.datetime, point: Point, colour: str) -> None:
    value = 1e3 * point.median
    if point.interval:
        panel.plot([time, time], [1e3 * point.interval.low, 1e3 * point.interval.high], color=colour, linewidth=1.2)
    panel.plot(time, value, marker="o", markersize=3.6, color=colour, linestyle="none")
    if point.verdict in _CHANGES and point.ratio:
        panel.plot(time, value, marker="o", markersize=8.5, markerfacecolor="none", color=WARNING, markeredgewidth=0.9,
                   linestyle="none")  # fmt: skip
        panel.annotate(f"{significant(point.ratio.value)}×", (time, value), xytext=(0, 7), textcoords="offset points",
                       ha="center", color=MUTED, fontsize=6)  # fmt: skip
