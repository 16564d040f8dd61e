"""A pass, batch by batch, for libraries whose call takes an array and gives one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.runtimes.base import Clock, PassTimes

__all__ = ["in_batches"]


def in_batches(
    invoke: Callable[[npt.NDArray[Any]], npt.NDArray[Any]],
    inputs: npt.NDArray[Any],
    outputs: npt.NDArray[Any],
    clock: Clock,
    size: int,
    *,
    pad: bool,
) -> PassTimes:
    """Invokes over all inputs, scores into ``outputs``; with ``pad`` the last batch is filled up with zeros."""
    starts = range(0, len(inputs), size)
    began, ended = np.empty(len(starts), np.int64), np.empty(len(starts), np.int64)
    for number, start in enumerate(starts):
        began[number] = clock()
        some = inputs[start : start + size]
        count = len(some)
        if pad and count < size:
            some = np.concatenate([some, np.zeros((size - count, *some.shape[1:]), some.dtype)])
        outputs[start : start + count] = invoke(some)[:count]
        ended[number] = clock()
    return PassTimes(began, ended)
