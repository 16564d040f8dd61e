"""Accuracy, or another task's quality, against time with file size as area, and the Pareto front."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.app.figures.drawing.axes import grid, scale_for
from edge_bench.app.figures.drawing.canvas import Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.entries import Entry, assumption, short_name
from edge_bench.app.figures.drawing.labels import label_points
from edge_bench.app.figures.drawing.quality import QualityAxis, quality_axis
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import MUTED, PAPER
from edge_bench.app.render.units import size
from edge_bench.bench.stats.pareto import pareto_front
from edge_bench.bench.wording import counted

__all__ = ["trade_off"]

_MARKERS = "osD^vPX*<>"
#: Area of the largest file's marker, in square points.
_MAX_AREA = 320.0


def trade_off(entries: Sequence[Entry]) -> Drawing:
    """Return the trade-off figure; entries must be of one task, have a quality and not be emulated."""
    axis = _axis(entries)
    times, values = _values(entries, axis)
    on_front = pareto_front(times, values if axis.higher_is_better else -values)
    unit = entries[0].run.unit
    names = [entry.full_name for entry, on in zip(entries, on_front, strict=True) if on]
    largest = max(entry.result.bytes for entry in entries)
    return Drawing(
        name="trade-off",
        title=f"{axis.name} against time",
        caption=f"The area of a mark is the size of the file, up to {size(largest)}. {_front(names, axis)} Small "
        f"differences in {'accuracy' if axis.name == 'Accuracy' else axis.name} may be chance: see the intervals in "
        f"the table.{assumption(entries)}",
        description=f"{axis.name} against time per {unit} of {counted(len(entries), 'configuration')}. "
        f"On the Pareto front (none is both faster and at least as good): {', '.join(names)}.",
        draw=lambda layout: _draw(entries, axis, on_front, layout),
    )


def _front(names: Sequence[str], axis: QualityAxis) -> str:
    """Return which configurations are on the Pareto front."""
    good = "accurate" if axis.name == "Accuracy" else "good"
    if len(names) == 1:
        return f"No configuration is both faster than {names[0]} and at least as {good}, or more {good}."
    return (
        f"Dashed line: the Pareto front, {', '.join(names)}. No other configuration is both faster and at least as "
        f"{good}."
    )


def _axis(entries: Sequence[Entry]) -> QualityAxis:
    axis = quality_axis(entries[0].run.task, [entry.quality for entry in entries])
    if axis is None:
        raise ValueError("the entries have no quality")
    return axis


def _values(entries: Sequence[Entry], axis: QualityAxis) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return median milliseconds per image and quality as the axis shows it, each of shape [entries]."""
    times = np.array([float(np.median(entry.image_milliseconds)) for entry in entries])
    values = [entry.quality.value for entry in entries if entry.quality and entry.quality.value is not None]
    return times, np.array([axis.shown(value) for value in values])


def _draw(entries: Sequence[Entry], axis: QualityAxis, on_front: npt.NDArray[np.bool_], layout: Layout) -> Any:
    """Draw with a label beside each mark; without room for all of them, with a legend and labels on the front only."""
    figure, has_all = _plot(entries, axis, on_front, layout, legend=False)
    return figure if has_all else _plot(entries, axis, on_front, layout, legend=True)[0]


def _plot(
    entries: Sequence[Entry], axis: QualityAxis, on_front: npt.NDArray[np.bool_], layout: Layout, *, legend: bool
) -> tuple[Any, bool]:
    """Return the figure, and whether all labels have a place; ``legend``: instead of labels off the front."""
    times, values = _values(entries, axis)
    several = len({entry.machine for entry in entries}) > 1
    groups = [_environment(entry, several=several) if legend else entry.machine for entry in entries]
    areas = _areas(entries)
    figure, (panel,) = new_figure(layout, 3.4 if layout.narrow else 3.6)
    _set_axes(panel, entries, axis, times, values, layout)
    front = np.flatnonzero(on_front)[np.argsort(times[on_front], kind="stable")]
    if len(front) > 1:
        panel.plot(times[front], values[front], color=MUTED, linewidth=0.9, linestyle="--", zorder=1)
    markers = {group: _MARKERS[number % len(_MARKERS)] for number, group in enumerate(dict.fromkeys(groups))}
    # large marks first, so that they do not hide small ones
    for position in np.argsort(-areas, kind="stable"):
        panel.scatter(
            times[position], values[position], s=areas[position], color=colour_of(entries[position].variant),
            alpha=0.85, marker=markers[groups[position]], edgecolors=PAPER, linewidths=0.7, zorder=3,
        )  # fmt: skip
    _draw_legend(figure, [entry.variant for entry in entries] if legend else [], markers, layout)
    others = [] if legend else [position for position in range(len(entries)) if position not in front]
    order = [*front, *others]
    labelled = label_points(
        panel,
        [(times[position], values[position]) for position in order],
        [entries[position].name for position in order],
        [(times[position], values[position], float(np.sqrt(area / np.pi))) for position, area in enumerate(areas)],
        [(times[one], values[one], times[two], values[two]) for one, two in itertools.pairwise(front)],
    )
    return figure, all(labelled)


def _set_axes(
    panel: Any,
    entries: Sequence[Entry],
    axis: QualityAxis,
    times: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    layout: Layout,
) -> None:
    """Set the limits and the names of the axes."""
    assumed = " (ASSUMED)" if assumption(entries) else ""
    direction = "" if layout.narrow else "; further left is faster"
    panel.set(xlabel=f"ms/{entries[0].run.unit} (median{direction})", ylabel=f"{axis.label}{assumed}")
    grid(panel, "both")
    scale_for(panel.xaxis, times.min() / 1.3, times.max() * 1.3)
    least = 1.0 if axis.percent else 0.02 * float(np.abs(values).max()) or 1.0
    spread = max(values.max() - values.min(), least)
    panel.set_ylim(values.min() - 0.35 * spread, values.max() + 0.35 * spread)
    if axis.percent:  # no tick above 100 %
        panel.set_yticks([tick for tick in panel.get_yticks() if tick <= 100], minor=False)
        panel.set_ylim(values.min() - 0.35 * spread, values.max() + 0.35 * spread)


def _areas(entries: Sequence[Entry]) -> npt.NDArray[np.float64]:
    """Return the area of each mark in square points, in proportion to the file's size, but never too small to see."""
    sizes = np.array([entry.result.bytes for entry in entries], np.float64)
    areas: npt.NDArray[np.float64] = np.maximum(_MAX_AREA * sizes / max(sizes.max(), 1.0), 14.0)
    return areas


def _environment(entry: Entry, *, several: bool) -> str:
    """Return the runtime, with its delegate if one is set, and its machine if there are ``several``."""
    configuration = entry.result.configuration
    runtime = " · ".join(short_name(each) for each in (configuration.runtime, configuration.delegate) if each)
    return f"{runtime} on {entry.machine}" if several else runtime


def _draw_legend(figure: Any, variants: Sequence[str], markers: Mapping[str, str], layout: Layout) -> None:
    """Name the variants by their colours, and machines or runtimes by their marks if there are several."""
    from matplotlib.lines import Line2D

    dot: dict[str, Any] = {"linestyle": "none", "markersize": 5}
    handles = [
        Line2D([], [], marker="o", color=colour_of(name), label=short_name(name), **dot)
        for name in dict.fromkeys(variants)
    ]
    if len(markers) > 1:
        handles += [Line2D([], [], marker=marker, color=MUTED, label=name, **dot) for name, marker in markers.items()]
    if handles:
        columns = 2 if layout.narrow else 4
        figure.legend(handles=handles, loc="outside lower left", ncols=columns, columnspacing=1.0, handletextpad=0.4)
