"""Every trial of a Run as a dot over time: drift, outliers and whatever else a mean hides."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_bench.app.figures.drawing.axes import Rows, name_rows
from edge_bench.app.figures.drawing.canvas import WARNING, Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.labels import Entry
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import GRID, MUTED
from edge_bench.bench.stats.intervals import outliers
from edge_bench.bench.stats.ratios import MATERIAL

__all__ = ["trials_over_time"]


def trials_over_time(entries: Sequence[Entry], number: int) -> Drawing:
    """One strip a configuration of one real Run; ``number`` tells the files of several Runs apart."""
    machine = entries[0].machine
    reach = _reach(entries)
    odd = [f"{entry.name} has {count}" for entry in entries if (count := len(outliers(entry.result.pass_seconds())))]
    return Drawing(
        name=f"trials-{number}",
        title=f"Every trial over time, {machine}",
        caption=f"Each dot is a trial, against its configuration's own median; a strip is ±{100 * reach:.0f} % high, a "
        f"triangle lies beyond it. The grey band is ±{100 * MATERIAL:.0f} %, less than which counts as no difference. "
        "Dotted lines: fresh worker processes. Crossed out: the machine throttled. "
        "Ringed: outliers (more than 10 robust standard deviations away), "
        "which are never dropped.",
        description=f"Trial times of {len(entries)} configurations on {machine} in the order measured, as deviations "
        f"from each median. Outliers: {', '.join(odd) or 'none'}. Throttled trials: {_throttled(entries)}.",
        draw=lambda layout: _draw(entries, reach, layout),
    )


def _throttled(entries: Sequence[Entry]) -> int:
    return sum(bool(trial.throttled) for entry in entries for trial in entry.result.trials)


def _deviations(entry: Entry) -> Any:
    seconds = entry.result.pass_seconds()
    return seconds / np.median(seconds) - 1


def _reach(entries: Sequence[Entry]) -> float:
    """Half a strip's height as a share of the median: nearly all trials, from 5 % to 50 %."""
    everything = np.abs(np.concatenate([_deviations(entry) for entry in entries]))
    return float(np.clip(np.ceil(110 * np.percentile(everything, 98)) / 100, 0.05, 0.5))


def _draw(entries: Sequence[Entry], reach: float, layout: Layout) -> Any:
    rows = Rows([entry.name for entry in entries], [""] * len(entries))
    figure, (panel,) = new_figure(layout, 0.55 + 0.34 * rows.height)
    name_rows(panel, rows)
    last = max(trial.began_ns + trial.elapsed_ns for entry in entries for trial in entry.result.trials) / 1e9
    unit, name = (60.0, "minutes") if last > 150 else (1.0, "seconds")
    panel.set(xlabel=f"{name} since the run began", xlim=(-0.01 * last / unit, 1.01 * last / unit))
    for began in _generations(entries):
        panel.axvline(began / unit, color=MUTED, linewidth=0.6, linestyle=(0, (1, 2.5)))
    for entry, y in zip(entries, rows.image_positions, strict=True):
        _strip(panel, entry, y, reach, unit)
    for y, sign in ((-0.42, "+"), (0.42, "−")):
        panel.text(1.01, y, f"{sign}{100 * reach:.0f} %", transform=panel.get_yaxis_transform(), color=MUTED,
                   fontsize=6, ha="left", va="center")  # fmt: skip
    return figure


def _strip(panel: Any, entry: Entry, y: float, reach: float, unit: float) -> None:
    half = 0.42  # of a row
    times = np.array([trial.began_ns for trial in entry.result.trials]) / 1e9 / unit
    deviations = _deviations(entry)
    panel.axhspan(y - half * MATERIAL / reach, y + half * MATERIAL / reach, color=GRID, alpha=0.7, linewidth=0)
    places = y - half * np.clip(deviations, -reach, reach) / reach
    beyond = np.abs(deviations) > reach
    colour = colour_of(entry.variant)
    panel.scatter(times[~beyond], places[~beyond], s=7, color=colour, linewidths=0)
    for side, marker in ((deviations > reach, "^"), (deviations < -reach, "v")):
        panel.scatter(times[side], places[side], s=13, color=colour, marker=marker, linewidths=0)
    slowed = np.array([bool(trial.throttled) for trial in entry.result.trials])
    panel.scatter(times[slowed], places[slowed], s=26, color=WARNING, marker="x", linewidths=0.8)
    strays = outliers(entry.result.pass_seconds())
    panel.scatter(times[strays], places[strays], s=32, facecolors="none", edgecolors=WARNING, linewidths=0.8)


def _generations(entries: Sequence[Entry]) -> list[float]:
    """When each generation of worker processes but the first made its first trial, seconds."""
    first: dict[int, int] = {}
    for entry in entries:
        for trial in entry.result.trials:
            first[trial.process] = min(trial.began_ns, first.get(trial.process, trial.began_ns))
    return [began / 1e9 for _, began in sorted(first.items())][1:]
