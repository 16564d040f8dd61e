"""Sparklines for a terminal: the trials as bars in the order they were measured."""

from collections.abc import Sequence

import numpy as np

__all__ = ["sparkline"]

_BARS = "▁▂▃▄▅▆▇█"
#: The scale covers at least ± this share of the median, so that a steady measurement looks steady.
_MIN_RANGE = 0.1
#: Larger deviations from the median are not stated exactly, so that the column stays narrow.
_MAX_RANGE = 10.0


def sparkline(values: Sequence[float], width: int = 15) -> str:
    """Return at most ``width`` bars and the largest deviation from the median: ``▄▄▅▄ ±1.2 %``.

    Each bar is the maximum of adjacent values, because a mean would hide a single slow trial. The middle bar is the
    median. The scale covers the largest deviation, at least ±10 %. Empty for fewer than two values.
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) < 2 or not float(np.median(array)) > 0:
        return ""
    deviations = array / float(np.median(array)) - 1
    largest = float(np.abs(deviations).max())
    scale = max(largest, _MIN_RANGE)
    maxima = [part.max() for part in np.array_split(deviations, min(width, len(deviations)))]
    heights = [round(3.5 + 3.5 * value / scale) if abs(value) > 0.14 * scale else 3 for value in maxima]
    return f"{''.join(_BARS[height] for height in heights)} {_range(largest)}"


def _range(largest: float) -> str:
    """Return a share as ``±1.2 %``, or ``> ±1,000 %`` if it is more than 10 times the median."""
    if largest > _MAX_RANGE:
        return f"> ±{100 * _MAX_RANGE:,.0f} %"
    return f"±{100 * largest:.{0 if largest >= 0.1 else 1}f} %"
