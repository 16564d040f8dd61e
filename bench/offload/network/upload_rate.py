"""The upload rate of a path, from timed uploads of several sizes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["upload_rate"]


def upload_rate(sizes: Sequence[int], times_ns: Sequence[int]) -> float | None:
    """Return bits per second, from a line through the shortest time of each upload size.

    The shortest, because disturbances only add time. None if larger uploads take no longer or there is one size only.
    """
    table: npt.NDArray[np.float64] = np.array([sizes, times_ns], np.float64)
    distinct = np.unique(table[0])
    if len(distinct) < 2:
        return None
    shortest = np.array([table[1][table[0] == size].min() for size in distinct])
    ns_per_byte = float(np.polyfit(distinct, shortest, 1)[0])
    return 8e9 / ns_per_byte if ns_per_byte > 0 else None
