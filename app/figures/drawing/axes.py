"""Axes: tick labels, linear or logarithmic scales, whole numbers, and named rows."""

import math
from collections.abc import Sequence
from typing import Any

from edge_bench.app.render.palette import GRID, INK, MUTED
from edge_bench.app.render.units import significant

__all__ = ["Rows", "grid", "name_rows", "scale_for", "tick_label", "whole_numbers"]

#: Above this ratio of the largest to the smallest value, small values would be indistinguishable on a linear axis.
_MAX_LINEAR_RATIO = 8.0


def grid(panel: Any, axis: str) -> None:
    """Draw faint grid lines."""
    panel.grid(axis=axis, color=GRID, linewidth=0.6)


def tick_label(value: float, _: object = None) -> str:
    """Return a tick's label without trailing zeros and exponent: 0.05, 2, 1,500."""
    text = significant(value, 3)
    return text.rstrip("0").rstrip(".") if "." in text else text


def scale_for(axis: Any, low: float, high: float) -> None:
    """Scale the axis linearly from zero, or logarithmically with ticks at 1, 2, 5 for a wide range of values.

    Everything from ``low`` to ``high`` is visible, also if the end of an interval is below zero.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    panel, name = axis.axes, axis.axis_name
    limit = panel.set_xlim if name == "x" else panel.set_ylim
    if low > 0 and high / low > _MAX_LINEAR_RATIO:
        (panel.set_xscale if name == "x" else panel.set_yscale)("log")
        limit(low / 1.25, high * 1.25)
        decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
        steps = (1, 2, 5) if high / low < 300 else (1,)
        axis.set_major_locator(FixedLocator([step * 10.0**decade for decade in decades for step in steps]))
        axis.set_minor_locator(NullLocator())
    else:
        limit(min(0, low * 1.08), high * 1.08 or 1)
        axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(FuncFormatter(tick_label))


def whole_numbers(axis: Any) -> None:
    """Put ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(6, integer=True))


class Rows:
    """Named rows from top to bottom, with headings between groups: row k is drawn at y = positions[k]."""

    def __init__(self, names: Sequence[str], groups: Sequence[str]) -> None:
        self.positions: list[float] = []
        self.labels: list[tuple[float, str, bool]] = []  # y, text, whether it is a heading
        y, previous_group = 0.0, None
        has_headings = len(set(groups)) > 1
        for name, group in zip(names, groups, strict=True):
            if has_headings and group != previous_group:
                y += 0.35 if previous_group is not None else 0.0
                self.labels.append((y, group, True))
                y += 1
            previous_group = group
            self.positions.append(y)
            self.labels.append((y, name, False))
            y += 1
        self.end = y

    @property
    def height(self) -> float:
        """Total height, in rows."""
        return max(self.end, 1.0)


def name_rows(panel: Any, rows: Rows, *, labels: bool = True) -> None:
    """Use the rows' names as tick labels of the y axis."""
    panel.set_ylim(rows.end - 0.35, -0.65)
    panel.spines["left"].set_visible(False)
    panel.tick_params(axis="y", length=0)
    panel.set_yticks([y for y, _, _ in rows.labels])
    panel.set_yticklabels([text for _, text, _ in rows.labels] if labels else [""] * len(rows.labels))
    for label, (_, _, is_heading) in zip(panel.get_yticklabels(), rows.labels, strict=True):
        label.set(fontweight="bold" if is_heading else "normal", color=INK if is_heading else MUTED)
