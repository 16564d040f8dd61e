"""A pass in batches, for libraries with a function from an input array to an output array."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.runtimes.base import Clock, PassTimes

__all__ = ["in_batches", "timed_invocations"]


def in_batches(
    invoke: Callable[[npt.NDArray[Any]], npt.NDArray[Any]],
    inputs: npt.NDArray[Any],
    outputs: npt.NDArray[Any],
    clock: Clock,
    size: int,
    *,
    pad: bool,
    reset: Callable[[], None] | None = None,
) -> PassTimes:
    """Invoke on all inputs and write scores to ``outputs``; with ``pad`` the last batch is padded with zeros.

    ``reset`` is called before each invocation, outside the timed part. Raise ValueError if the model does not return
    one row of scores per image.
    """

    def invoke_at(start: int) -> None:
        batch = inputs[start : start + size]
        count = len(batch)
        if pad and count < size:
            batch = np.concatenate([batch, np.zeros((size - count, *batch.shape[1:]), batch.dtype)])
        scores = invoke(batch)
        if len(scores) != len(batch):
            raise ValueError(f"the model returned scores of {len(scores)} examples for a batch of {len(batch)}")
        outputs[start : start + count] = scores[:count]

    return timed_invocations(invoke_at, range(0, len(inputs), size), clock, reset)


def timed_invocations(
    invoke_at: Callable[[int], None], starts: range, clock: Clock, reset: Callable[[], None] | None
) -> PassTimes:
    """Call ``invoke_at`` with each start of a batch. ``reset`` is called before each call, outside the timed part."""
    began, ended = np.empty(len(starts), np.int64), np.empty(len(starts), np.int64)
    reset_ns = 0
    for number, start in enumerate(starts):
        if reset is not None:
            reset_ns -= clock()
            reset()
            reset_ns += clock()
        began[number] = clock()
        invoke_at(start)
        ended[number] = clock()
    return PassTimes(began, ended, reset_ns)
