"""A pass in batches, for libraries with a function from an input array to an output array."""

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
    """Invoke on all inputs and write scores to ``outputs``; with ``pad`` the last batch is padded with zeros."""
    starts = range(0, len(inputs), size)
    began, ended = np.empty(len(starts), np.int64), np.empty(len(starts), np.int64)
    for number, start in enumerate(starts):
        began[number] = clock()
        batch = inputs[start : start + size]
        count = len(batch)
        if pad and count < size:
            batch = np.concatenate([batch, np.zeros((size - count, *batch.shape[1:]), batch.dtype)])
        outputs[start : start + count] = invoke(batch)[:count]
        ended[number] = clock()
    return PassTimes(began, ended)
