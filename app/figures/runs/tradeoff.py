"""Accuracy, or another task's quality, against time with file size as area, and the Pareto front."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.app.figures.drawing.axes import grid, scale_for
from edge_bench.app.figures.drawing.canvas import Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.entries import Entry, assumption, short_name
from edge_bench.app.figures.drawing.quality import QualityAxis, quality_axis
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import MUTED, PAPER
from edge_bench.app.render.units import size
from edge_bench.bench.stats.pareto import pareto_front

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
    names = ", ".join(entry.full_name for entry, on in zip(entries, on_front, strict=True) if on)
    return Drawing(
        name="trade-off",
        title=f"{axis.name} against time",
        caption="Area is the file's size. The dashed line joins the Pareto front: no other configuration is both "
        f"faster and at least as {'accurate' if axis.name == 'Accuracy' else 'good'}. On it: {names}. Differences in "
        f"{'accuracy' if axis.name == 'Accuracy' else axis.name} of a few {unit}s may be chance: the table has "
        f"their intervals.{assumption(entries)}",
        description=f"{axis.name} against time an {unit} of {len(entries)} configurations. On the Pareto front: "
        f"{names}.",
        draw=lambda layout: _draw(entries, axis, on_front, layout),
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
    times, values = _values(entries, axis)
    environments = list(dict.fromkeys(_environment(entry) for entry in entries))
    largest = max(entry.result.bytes for entry in entries) or 1
    figure, (panel,) = new_figure(layout, 3.6 if layout.narrow else 3.0)
    assumed = " (ASSUMED)" if assumption(entries) else ""
    panel.set(
        xlabel=f"milliseconds an {entries[0].run.unit} (median; further left is faster)",
        ylabel=f"{axis.label}{assumed}",
    )
    if layout.narrow:
        panel.set_xlabel(f"milliseconds an {entries[0].run.unit} (median)")
    grid(panel, "both")
    scale_for(panel.xaxis, times.min() / 1.15, times.max() * 1.15)
    least = 0.2 if axis.percent else 0.02 * float(np.abs(values).max()) or 1.0
    spread = max(values.max() - values.min(), least)
    panel.set_ylim(values.min() - 0.35 * spread, values.max() + 0.35 * spread)
    front = np.flatnonzero(on_front)[np.argsort(times[on_front], kind="stable")]
    panel.plot(times[front], values[front], color=MUTED, linewidth=0.9, linestyle="--", zorder=1)
    # large markers first, so that they do not hide small ones
    for position in np.argsort([-entry.result.bytes for entry in entries], kind="stable"):
        entry = entries[position]
        panel.scatter(
            times[position], values[position], s=max(_MAX_AREA * entry.result.bytes / largest, 14.0),
            color=colour_of(entry.variant), alpha=0.85, marker=_marker(environments.index(_environment(entry))),
            edgecolors=PAPER, linewidths=0.7, zorder=3,
        )  # fmt: skip
    _draw_legend(figure, entries, environments, layout)
    return figure


def _environment(entry: Entry) -> str:
    return f"{short_name(entry.result.configuration.runtime)} on {entry.machine}"


def _marker(number: int) -> str:
    return _MARKERS[number % len(_MARKERS)]


def _draw_legend(figure: Any, entries: Sequence[Entry], environments: Sequence[str], layout: Layout) -> None:
    from matplotlib.lines import Line2D

    variants = {entry.variant: entry.result.bytes for entry in entries}
    dot: dict[str, Any] = {"linestyle": "none", "markersize": 5}
    handles = [
        Line2D([], [], marker="o", color=colour_of(name), label=f"{short_name(name)}, {size(count)}", **dot)
        for name, count in variants.items()
    ]
    handles += [
        Line2D([], [], marker=_marker(number), color=MUTED, label=name, **dot)
        for number, name in enumerate(environments)
    ]
    handles.append(Line2D([], [], color=MUTED, linewidth=0.9, linestyle="--", label="Pareto front"))
    if layout.narrow:
        figure.legend(handles=handles, loc="outside lower left", ncols=2, columnspacing=1.0, handletextpad=0.4)
    else:
        figure.legend(handles=handles, loc="outside right upper", handletextpad=0.4)
