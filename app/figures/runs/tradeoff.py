"""Accuracy against time with file size as area, and the Pareto front."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.app.figures.drawing.axes import grid, scale_for
from edge_bench.app.figures.drawing.canvas import Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.entries import Entry, assumption, short_name
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import MUTED, PAPER
from edge_bench.app.render.units import size
from edge_bench.bench.stats.pareto import pareto_front

__all__ = ["trade_off"]

_MARKERS = "osD^vPX*<>"
#: Area of the largest file's marker, in square points.
_MAX_AREA = 320.0


def trade_off(entries: Sequence[Entry]) -> Drawing:
    """Return the trade-off figure; entries must have true labels and not be emulated."""
    times, accuracies = _values(entries)
    on_front = pareto_front(times, accuracies)
    names = ", ".join(entry.full_name for entry, on in zip(entries, on_front, strict=True) if on)
    return Drawing(
        name="trade-off",
        title="Accuracy against time",
        caption="Area is the file's size. The dashed line joins the Pareto front: no other configuration is both "
        f"faster and at least as accurate. On it: {names}. Differences in accuracy of a few images may be chance: "
        f"the table has their intervals.{assumption(entries)}",
        description=f"Accuracy against time an image of {len(entries)} configurations. On the Pareto front: {names}.",
        draw=lambda layout: _draw(entries, layout),
    )


def _values(entries: Sequence[Entry]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return median milliseconds per image and accuracy in percent, each of shape [entries]."""
    times = np.array([float(np.median(entry.image_milliseconds)) for entry in entries])
    return times, np.array([100 * (entry.correct or 0) / entry.seen for entry in entries])


def _draw(entries: Sequence[Entry], layout: Layout) -> Any:
    times, accuracies = _values(entries)
    on_front = pareto_front(times, accuracies)
    environments = list(dict.fromkeys(_environment(entry) for entry in entries))
    largest = max(entry.result.bytes for entry in entries) or 1
    figure, (panel,) = new_figure(layout, 3.6 if layout.narrow else 3.0)
    assumed = " (ASSUMED)" if assumption(entries) else ""
    panel.set(xlabel="milliseconds an image (median; further left is faster)", ylabel=f"% of images right{assumed}")
    if layout.narrow:
        panel.set_xlabel("milliseconds an image (median)")
    grid(panel, "both")
    scale_for(panel.xaxis, times.min() / 1.15, times.max() * 1.15)
    spread = max(accuracies.max() - accuracies.min(), 0.2)
    panel.set_ylim(accuracies.min() - 0.35 * spread, accuracies.max() + 0.35 * spread)
    front = np.flatnonzero(on_front)[np.argsort(times[on_front], kind="stable")]
    panel.plot(times[front], accuracies[front], color=MUTED, linewidth=0.9, linestyle="--", zorder=1)
    # large markers first, so that they do not hide small ones
    for position in np.argsort([-entry.result.bytes for entry in entries], kind="stable"):
        entry = entries[position]
        panel.scatter(
            times[position], accuracies[position], s=max(_MAX_AREA * entry.result.bytes / largest, 14.0),
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
