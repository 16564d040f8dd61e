"""Axes that people can read: plain numbers, whole epochs, logarithms only where a line would hide something."""

import math
from collections.abc import Sequence
from typing import Any

from edge_bench.app.render.palette import GRID, INK, MUTED
from edge_bench.app.render.units import significant

__all__ = ["Rows", "grid", "name_rows", "plain", "scale_for", "whole_numbers"]

#: From this ratio of the largest to the smallest value on, a linear axis squeezes the small ones together.
_WIDE = 8.0


def grid(panel: Any, axis: str) -> None:
    """Faint lines to read values by."""
    panel.grid(axis=axis, color=GRID, linewidth=0.6)


def plain(value: float, _: object = None) -> str:
    """A tick's label: 0.05, 2, 1,500; no trailing zeros, no exponents."""
    text = significant(value, 3)
    return text.rstrip("0").rstrip(".") if "." in text else text


def scale_for(axis: Any, low: float, high: float) -> None:
    """Linear from zero, or logarithmic with ticks at 1, 2, 5 where the values span much."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    panel, name = axis.axes, axis.axis_name
    limit = panel.set_xlim if name == "x" else panel.set_ylim
    if low > 0 and high / low > _WIDE:
        (panel.set_xscale if name == "x" else panel.set_yscale)("log")
        limit(low / 1.25, high * 1.25)
        decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
        steps = (1, 2, 5) if high / low < 300 else (1,)
        axis.set_major_locator(FixedLocator([step * 10.0**decade for decade in decades for step in steps]))
        axis.set_minor_locator(NullLocator())
    else:
        limit(0, high * 1.08 or 1)
        axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(FuncFormatter(plain))


def whole_numbers(axis: Any) -> None:
    """Ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(6, integer=True))


class Rows:
    """Named rows from top to bottom, with headings between groups: row k is drawn at y = places[k]."""

    def __init__(self, names: Sequence[str], groups: Sequence[str]) -> None:
        self.image_positions: list[float] = []
        self.labels: list[tuple[float, str, bool]] = []  # y, text, whether it is a heading
        y, before = 0.0, None
        headed = len(set(groups)) > 1
        for name, group in zip(names, groups, strict=True):
            if headed and group != before:
                y += 0.35 if before is not None else 0.0
                self.labels.append((y, group, True))
                y += 1
            before = group
            self.image_positions.append(y)
            self.labels.append((y, name, False))
            y += 1
        self.end = y

    @property
    def height(self) -> float:
        """In rows."""
        return max(self.end, 1.0)


def name_rows(panel: Any, rows: Rows, *, labels: bool = True) -> None:
    """Puts the rows' names where ticks would be."""
    panel.set_ylim(rows.end - 0.35, -0.65)
    panel.spines["left"].set_visible(False)
    panel.tick_params(axis="y", length=0)
    panel.set_yticks([place for place, _, _ in rows.labels])
    panel.set_yticklabels([text for _, text, _ in rows.labels] if labels else [""] * len(rows.labels))
    for tick, (_, _, heading) in zip(panel.get_yticklabels(), rows.labels, strict=True):
        tick.set(fontweight="bold" if heading else "normal", color=INK if heading else MUTED)
