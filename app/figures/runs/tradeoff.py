"""Accuracy against time with size as area: which configurations nothing else beats."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.app.figures.drawing.axes import grid, scale_for
from edge_bench.app.figures.drawing.canvas import Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.labels import Entry
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import MUTED, PAPER
from edge_bench.app.render.units import size
from edge_bench.bench.stats.pareto import pareto_front

__all__ = ["trade_off"]

_MARKERS = "osD^vPX*<>"
#: Square points of the largest file's mark.
_LARGEST = 320.0


def trade_off(entries: Sequence[Entry]) -> Drawing:
    """Real, labelled configurations only."""
    times, accuracies = _values(entries)
    front = [entry for entry, on in zip(entries, pareto_front(times, accuracies), strict=True) if on]
    names = ", ".join(entry.full_name for entry in front)
    return Drawing(
        name="trade-off",
        title="Accuracy against time",
        caption="Area is the file's size. The dashed line joins the Pareto front: no other configuration is both "
        f"faster and at least as accurate. On it: {names}. Differences in accuracy of a few images may be chance: "
        "the table has their intervals.",
        description=f"Accuracy against time an image of {len(entries)} configurations. On the Pareto front: {names}.",
        draw=lambda layout: _draw(entries, layout),
    )


def _values(entries: Sequence[Entry]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Median milliseconds an image and accuracy in percent, each of shape [entries]."""
    times = np.array([float(np.median(entry.image_milliseconds)) for entry in entries])
    return times, np.array([100 * (entry.correct or 0) / entry.seen for entry in entries])


def _draw(entries: Sequence[Entry], layout: Layout) -> Any:
    times, accuracies = _values(entries)
    front = pareto_front(times, accuracies)
    kinds = list(dict.fromkeys(_kind(entry) for entry in entries))
    largest = max(entry.result.bytes for entry in entries) or 1
    figure, (panel,) = new_figure(layout, 3.6 if layout.narrow else 3.0)
    panel.set(xlabel="milliseconds an image (median; further left is faster)", ylabel="% of images right")
    if layout.narrow:
        panel.set_xlabel("milliseconds an image (median)")
    grid(panel, "both")
    scale_for(panel.xaxis, times.min() / 1.15, times.max() * 1.15)
    spread = max(accuracies.max() - accuracies.min(), 0.2)
    panel.set_ylim(accuracies.min() - 0.35 * spread, accuracies.max() + 0.35 * spread)
    order = np.flatnonzero(front)[np.argsort(times[front], kind="stable")]
    panel.plot(times[order], accuracies[order], color=MUTED, linewidth=0.9, linestyle="--", zorder=1)
    for place in np.argsort([-entry.result.bytes for entry in entries], kind="stable"):
        entry = entries[place]
        panel.scatter(
            times[place], accuracies[place], s=max(_LARGEST * entry.result.bytes / largest, 14.0),
            color=colour_of(entry.variant), alpha=0.85, marker=_MARKERS[kinds.index(_kind(entry)) % len(_MARKERS)],
            edgecolors=PAPER, linewidths=0.7, zorder=3,
        )  # fmt: skip
    _legends(figure, entries, kinds, layout)
    return figure


def _kind(entry: Entry) -> str:
    return f"{entry.result.configuration.runtime} on {entry.machine}"


def _legends(figure: Any, entries: Sequence[Entry], kinds: Sequence[str], layout: Layout) -> None:
    from matplotlib.lines import Line2D

    variants = {entry.variant: entry.result.bytes for entry in entries}
    dot: dict[str, Any] = {"linestyle": "none", "markersize": 5}
    handles = [
        Line2D([], [], marker="o", color=colour_of(name), label=f"{name}, {size(count)}", **dot)
        for name, count in variants.items()
    ]
    handles += [
        Line2D([], [], marker=_MARKERS[number % len(_MARKERS)], color=MUTED, label=kind, **dot)
        for number, kind in enumerate(kinds)
    ]
    handles.append(Line2D([], [], color=MUTED, linewidth=0.9, linestyle="--", label="Pareto front"))
    if layout.narrow:
        figure.legend(handles=handles, loc="outside lower left", ncols=2, columnspacing=1.0, handletextpad=0.4)
    else:
        figure.legend(handles=handles, loc="outside right upper", handletextpad=0.4)
