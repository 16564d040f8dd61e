"""Configurations over time on one machine: one dot with its interval per Run, changes marked."""

import datetime
import math
from collections.abc import Sequence
from typing import Any

from edge_bench.app.figures.drawing.axes import grid, tick_label
from edge_bench.app.figures.drawing.canvas import WARNING, Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.entries import short_name
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import GRID, MUTED
from edge_bench.app.render.units import counted, significant
from edge_bench.bench.analysis.over_time.changes import Change, Kind
from edge_bench.bench.analysis.over_time.history import Point, Series
from edge_bench.bench.stats.chart_records import Mark
from edge_bench.bench.stats.intervals import Interval

__all__ = ["over_time"]

#: A figure with more panels would not fit on a page.
_MAX_PANELS = 20


def over_time(all_series: Sequence[Series]) -> Drawing:
    """Return one panel per series; all must be of one machine and bundle, and not emulated."""
    changes = [
        f"{series.configuration} {change.verdict} on {change.began[:10]} ({change.kind})"
        for series in all_series
        for change in series.changes
    ]
    drawn = _most_measured(all_series)
    left_out = (
        f" Of {counted(len(all_series), 'configuration')}, the {len(drawn)} with the most Runs."
        if drawn != all_series
        else ""
    )
    return Drawing(
        name="history",
        title=f"Over time, {all_series[0].machine}, {all_series[0].dataset}",
        caption="Median time of each Run with its 95 % interval. Without a change, 95 % of Runs are in the grey band. "
        "Ring: first Run after a step. Square: Run with which a creep was found. Their number is the time after the "
        f"change divided by that before. Cross: an outlier, or a Run that is not confirmed yet.{left_out}",
        description=f"{counted(len(all_series), 'configuration')} over time. Changes: "
        f"{'; '.join(changes[:12]) or 'none'}.",
        draw=lambda layout: _draw(drawn, layout),
    )


def _most_measured(all_series: Sequence[Series]) -> Sequence[Series]:
    """Return at most ``_MAX_PANELS`` series in their order: those with the most points, the first of equals."""
    if len(all_series) <= _MAX_PANELS:
        return all_series
    ranked = sorted(range(len(all_series)), key=lambda number: -len(all_series[number].points))
    return [all_series[number] for number in sorted(ranked[:_MAX_PANELS])]


def _draw(all_series: Sequence[Series], layout: Layout) -> Any:
    columns = 1 if layout.narrow else min(2, len(all_series))
    rows = -(-len(all_series) // columns)
    figure, panels = new_figure(layout, 1.45 * rows + 0.2, rows=rows, columns=columns)
    for panel, series in zip(panels, all_series, strict=False):
        _draw_series(panel, series)
    for panel in panels[len(all_series) :]:
        panel.set_visible(False)
    return figure


def _draw_series(panel: Any, series: Series) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    c = series.configuration
    colour = colour_of(c.variant)
    times = [datetime.datetime.fromisoformat(point.began) for point in series.points]
    values = [1e3 * point.median for point in series.points]
    panel.plot(times, values, color=colour, linewidth=0.9, alpha=0.6)
    _draw_band(panel, times, series.points)
    _draw_points(panel, times, series.points, colour)
    for change in series.changes:
        _draw_change(panel, times[change.index], values[change.index], change)
    name = f"{short_name(c.variant)} · {short_name(c.runtime)}"
    delegate = f", {short_name(c.delegate)}" if c.delegate else ""
    panel.set_title(f"{name}, {c.threads} thr, batch {c.batch_size}{delegate}, {counted(series.images, series.unit)}",
                    fontweight="normal")  # fmt: skip
    panel.set_ylabel(f"ms/{series.unit}")
    grid(panel, "y")
    low, high = _extremes(series.points)
    margin = max(high - low, 0.1 * high) * 0.2
    panel.set_ylim(min(max(low - margin, 0), low), high + 1.5 * margin)
    panel.yaxis.set_major_locator(MaxNLocator(4))
    panel.yaxis.set_major_formatter(FuncFormatter(tick_label))
    if len(set(times)) == 1:
        panel.set_xlim(times[0] - datetime.timedelta(hours=1), times[0] + datetime.timedelta(hours=1))
    locator = AutoDateLocator(minticks=2, maxticks=5)
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    panel.xaxis.get_offset_text().set_color(MUTED)


def _extremes(points: Sequence[Point]) -> tuple[float, float]:
    """Return the lowest and the highest value of medians, intervals and the band, in ms."""
    intervals = [interval for point in points for interval in (point.interval, point.expected) if interval]
    ends = [point.median for point in points] + [end for each in intervals for end in (each.low, each.high)]
    return 1e3 * min(ends), 1e3 * max(ends)


def _draw_band(panel: Any, times: Sequence[datetime.datetime], points: Sequence[Point]) -> None:
    """Fill the range in which a Run is expected, in gaps for Runs that are not judged."""
    nothing = Interval(math.nan, math.nan)
    expected = [point.expected or nothing for point in points]
    low, high = ([1e3 * getattr(interval, end) for interval in expected] for end in ("low", "high"))
    panel.fill_between(times, low, high, color=GRID, alpha=0.7, linewidth=0, step="mid")


def _draw_points(panel: Any, times: Sequence[datetime.datetime], points: Sequence[Point], colour: str) -> None:
    """Draw all dots, intervals and crosses at once: one element for each takes seconds with hundreds of Runs."""
    values = [1e3 * point.median for point in points]
    known = [(time, interval) for time, point in zip(times, points, strict=True) if (interval := point.interval)]
    if known:
        low, high = ([1e3 * getattr(interval, end) for _, interval in known] for end in ("low", "high"))
        panel.vlines(
            [time for time, _ in known], low, high, color=colour, linewidth=1.2, zorder=2, capstyle="projecting"
        )
    panel.plot(times, values, marker="o", markersize=3.6, color=colour, linestyle="none")
    crossed = [number for number, point in enumerate(points) if point.mark in (Mark.OUTLIER, Mark.UNCONFIRMED)]
    if crossed:
        panel.plot([times[each] for each in crossed], [values[each] for each in crossed], marker="x", markersize=6,
                   color=WARNING, markeredgewidth=0.9, linestyle="none")  # fmt: skip


def _draw_change(panel: Any, time: datetime.datetime, value: float, change: Change) -> None:
    marker = "o" if change.kind is Kind.STEP else "s"
    panel.plot(time, value, marker=marker, markersize=8.5, markerfacecolor="none", color=WARNING, markeredgewidth=0.9,
               linestyle="none")  # fmt: skip
    panel.annotate(f"{significant(change.ratio.value)}×", (time, value), xytext=(0, 7), textcoords="offset points",
                   ha="center", color=MUTED, fontsize=6)  # fmt: skip
