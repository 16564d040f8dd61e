"""Warm-up: what a session does before anything of it is timed."""

from typing import Any

import numpy.typing as npt

from edge_bench.bench.runtimes.base import Clock, Session

__all__ = ["warm_up"]

#: TensorFlow Lite's benchmark_model: warmup_runs = 1, warmup_min_secs = 0.5.
WARM_UP_NS = 500_000_000


def warm_up(
    session: Session, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], count: int, clock: Clock
) -> tuple[int, int, int]:
    """At least one invocation and at least half a second; (duration, invocations, expected duration of a pass) in ns.

    ``inputs`` are one full batch and as many images as the last batch of a pass over ``count`` has, so that both shapes
    have been seen.
    """
    some = len(inputs)
    begin = clock()
    images = invocations = 0
    while invocations == 0 or clock() - begin < WARM_UP_NS:
        times = session.classify(inputs, outputs, clock)
        images += some
        invocations += len(times.began)
    duration = clock() - begin
    return duration, invocations, duration * count // images
