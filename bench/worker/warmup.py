"""Warm-up of a session before it is timed."""

from typing import Any

import numpy.typing as npt

from edge_bench.bench.runtimes.base import Clock, Session

__all__ = ["warm_up"]

#: Defaults of TensorFlow Lite's benchmark_model: warmup_runs = 1, warmup_min_secs = 0.5.
WARM_UP_NS = 500_000_000


def warm_up(
    session: Session, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], count: int, clock: Clock
) -> tuple[int, int, int]:
    """Run at least one invocation and half a second; return duration, invocations and expected pass duration (ns).

    ``inputs`` should be a full batch and a batch as large as the last of a pass over ``count`` images, so that the
    warm-up covers both shapes.
    """
    begin = clock()
    images = invocations = 0
    while invocations == 0 or clock() - begin < WARM_UP_NS:
        times = session.classify(inputs, outputs, clock)
        images += len(inputs)
        invocations += len(times.began)
    duration = clock() - begin
    return duration, invocations, duration * count // images
