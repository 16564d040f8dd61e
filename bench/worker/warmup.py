"""Warm-up of a session before it is timed."""

import os
from typing import Any

import numpy.typing as npt

from edge_bench.bench.runtimes.base import Clock, Session

__all__ = ["warm_up"]

#: Defaults of TensorFlow Lite's benchmark_model: warmup_runs = 1, warmup_min_secs = 0.5. The variable is for tests of
#: this project; how long a warm-up took is in every Run (``ProcessRecord.warm_up_ns``).
WARM_UP_NS = int(1e9 * float(os.environ.get("EDGE_BENCH_WARM_UP_SECONDS", "0.5")))


def warm_up(
    session: Session,
    inputs: npt.NDArray[Any],
    outputs: npt.NDArray[Any],
    count: int,
    clock: Clock,
    minimum_ns: int = WARM_UP_NS,
) -> tuple[int, int, int]:
    """Run at least one invocation and ``minimum_ns``; return duration, invocations, expected pass duration (ns).

    ``inputs`` should be a full batch and a batch as large as the last of a pass over ``count`` images, so that the
    warm-up covers both shapes.
    """
    begin = clock()
    images = invocations = 0
    while invocations == 0 or clock() - begin < minimum_ns:
        times = session.classify(inputs, outputs, clock)
        images += len(inputs)
        invocations += len(times.began)
    duration = clock() - begin
    return duration, invocations, duration * count // images
