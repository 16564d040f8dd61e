"""A row of small bars for a terminal: the trials in the order they were measured."""

from collections.abc import Sequence

import numpy as np

__all__ = ["LEAST_RANGE", "sparkline"]

_BARS = "▁▂▃▄▅▆▇█"
#: Bars span at least this share of the median, so that a steady measurement looks steady.
LEAST_RANGE = 0.2


def sparkline(values: Sequence[float], width: int = 15) -> str:
    """At most ``width`` bars, each the highest of its neighbours, then the whole range: ``▄▄▅▄ ±1.2 %``.

    The middle bar is the median; the scale reaches as far as the farthest value, and at least ±10 %. Highest rather
    than mean, because a single slow trial is what one looks for. Empty for fewer than two values.
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) < 2 or not float(np.median(array)) > 0:
        return ""
    share = array / float(np.median(array)) - 1
    reach = float(np.abs(share).max())
    scale = max(reach, LEAST_RANGE / 2)
    tops = [part.max() for part in np.array_split(share, min(width, len(share)))]
    steps = [round(3.5 + 3.5 * top / scale) if abs(top) > 0.14 * scale else 3 for top in tops]
    return f"{''.join(_BARS[step] for step in steps)} ±{100 * reach:.{0 if reach >= 0.1 else 1}f} %"
