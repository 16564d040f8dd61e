"""Every trial of a Run as a dot over time, to show drift and outliers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_bench.app.figures.drawing.axes import Rows, name_rows
from edge_bench.app.figures.drawing.canvas import WARNING, Drawing, colour_of, new_figure
from edge_bench.app.figures.drawing.entries import Entry
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import GRID, MUTED
from edge_bench.bench.stats.intervals import outliers
from edge_bench.bench.stats.ratios import MATERIAL
from edge_bench.bench.wording import counted

__all__ = ["trials_over_time"]

#: Half the height of a row's band, in rows.
_HALF_ROW = 0.42


def trials_over_time(entries: Sequence[Entry], number: int) -> Drawing:
    """Return one row per configuration of one Run, not emulated; ``number`` makes file names of several Runs unique."""
    machine = entries[0].machine
    limit = _deviation_limit(entries)
    outlier_counts = [
        f"{entry.name} has {count}" for entry in entries if (count := len(outliers(entry.result.pass_seconds())))
    ]
    return Drawing(
        name=f"trials-{number}",
        title=f"Every trial over time, {machine}",
        caption="Each dot is a trial. Its height is the deviation from the median of its configuration, up to "
        f"±{100 * limit:.0f} %. Triangles are beyond that. Grey band: ±{100 * MATERIAL:.0f} %, which counts as no "
        "difference. Dotted lines: new worker processes. Crosses: the machine throttled. Rings: outliers, more than 10 "
        "robust standard deviations from the median. They are never dropped.",
        description=f"Trial times of {counted(len(entries), 'configuration')} on {machine} in the order "
        f"measured, as deviations "
        f"from each median. Outliers: {', '.join(outlier_counts) or 'none'}. Throttled trials: "
        f"{_throttled_trials(entries)}.",
        draw=lambda layout: _draw(entries, limit, layout),
    )


def _throttled_trials(entries: Sequence[Entry]) -> int:
    return sum(bool(trial.throttled) for entry in entries for trial in entry.result.trials)


def _deviations(entry: Entry) -> Any:
    seconds = entry.result.pass_seconds()
    return seconds / np.median(seconds) - 1


def _deviation_limit(entries: Sequence[Entry]) -> float:
    """Return half a row's height as a share of the median: it covers nearly all trials, within 5 % to 50 %."""
    deviations = np.abs(np.concatenate([_deviations(entry) for entry in entries]))
    return float(np.clip(np.ceil(110 * np.percentile(deviations, 98)) / 100, 0.05, 0.5))


def _draw(entries: Sequence[Entry], limit: float, layout: Layout) -> Any:
    rows = Rows([entry.name for entry in entries], [""] * len(entries))
    figure, (panel,) = new_figure(layout, 0.55 + 0.34 * rows.height)
    name_rows(panel, rows)
    last = max(trial.began_ns + trial.elapsed_ns for entry in entries for trial in entry.result.trials) / 1e9
    unit, name = (60.0, "minutes") if last > 150 else (1.0, "seconds")
    panel.set(xlabel=f"{name} since the run began", xlim=(-0.01 * last / unit, 1.01 * last / unit))
    for start in _generation_starts(entries):
        panel.axvline(start / unit, color=MUTED, linewidth=0.6, linestyle=(0, (1, 2.5)))
    for entry, y in zip(entries, rows.positions, strict=True):
        _draw_row(panel, entry, y, limit, unit)
    for y, sign in ((-_HALF_ROW, "+"), (_HALF_ROW, "−")):
        panel.text(1.01, y, f"{sign}{100 * limit:.0f} %", transform=panel.get_yaxis_transform(), color=MUTED,
                   fontsize=6, ha="left", va="center")  # fmt: skip
    return figure


def _draw_row(panel: Any, entry: Entry, y: float, limit: float, unit: float) -> None:
    """Draw the trials of one configuration; ``unit`` is the time axis's unit in seconds."""
    times = np.array([trial.began_ns for trial in entry.result.trials]) / 1e9 / unit
    deviations = _deviations(entry)
    band = _HALF_ROW * MATERIAL / limit
    panel.axhspan(y - band, y + band, color=GRID, alpha=0.7, linewidth=0)
    positions = y - _HALF_ROW * np.clip(deviations, -limit, limit) / limit
    inside = np.abs(deviations) <= limit
    colour = colour_of(entry.variant)
    panel.scatter(times[inside], positions[inside], s=7, color=colour, linewidths=0)
    for outside, marker in ((deviations > limit, "^"), (deviations < -limit, "v")):
        panel.scatter(times[outside], positions[outside], s=13, color=colour, marker=marker, linewidths=0)
    throttled = np.array([bool(trial.throttled) for trial in entry.result.trials])
    panel.scatter(times[throttled], positions[throttled], s=26, color=WARNING, marker="x", linewidths=0.8)
    odd = outliers(entry.result.pass_seconds())
    panel.scatter(times[odd], positions[odd], s=32, facecolors="none", edgecolors=WARNING, linewidths=0.8)


def _generation_starts(entries: Sequence[Entry]) -> list[float]:
    """Return when each generation of worker processes except the first started its first trial, in seconds."""
    starts: dict[int, int] = {}
    for entry in entries:
        for trial in entry.result.trials:
            starts[trial.process] = min(trial.began_ns, starts.get(trial.process, trial.began_ns))
    return [start / 1e9 for _, start in sorted(starts.items())][1:]
