"""Warm-up of a session before it is timed."""

import statistics
from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from edge_bench.bench.runtimes.base import Clock, PassTimes, Session
from edge_bench.bench.worker.durations import WARM_UP

__all__ = ["SHORT_PASS_NS", "measured_pass_ns", "warm_up", "warm_up_passes"]

#: Passes that the warm-up expects to be shorter are run for their duration. A trial may have to repeat them, and the
#: expected duration counts the overhead of a call for each of its batches: for Keras, that can be most of it.
SHORT_PASS_NS = 1_000_000_000


def measured_pass_ns(expected_ns: int, run_trial: Callable[[], int]) -> int:
    """Return the duration of a pass in nanoseconds: measured, if it is expected to be short, else the expected one.

    ``run_trial`` runs one pass as a trial does, and returns its duration. The shorter of two counts: the first one may
    include a compilation, and either may be disturbed.
    """
    return expected_ns if expected_ns >= SHORT_PASS_NS else min(run_trial(), run_trial())


def warm_up(
    session: Session,
    inputs: npt.NDArray[Any],
    outputs: npt.NDArray[Any],
    count: int,
    clock: Clock,
    minimum_ns: int | None = None,
) -> tuple[int, int, int]:
    """Run at least one invocation and ``minimum_ns``; return duration, invocations, expected pass duration (ns).

    ``minimum_ns`` defaults to `WARM_UP`. Resets of the model's state are part of the duration, not of the pass.

    ``inputs`` should be a full batch and a batch as large as the last of a pass over ``count`` images, so that the
    warm-up covers both shapes.
    """
    return warm_up_passes(lambda: session.classify(inputs, outputs, clock), len(inputs), count, clock, minimum_ns)


def warm_up_passes(
    run_pass: Callable[[], PassTimes], examples: int, count: int, clock: Clock, minimum_ns: int | None = None
) -> tuple[int, int, int]:
    """Call ``run_pass``, which processes ``examples`` examples, as `warm_up` does; return the same numbers.

    The expected duration is from the median call, since the first ones are slower and others may be disturbed.
    """
    minimum_ns = WARM_UP.nanoseconds() if minimum_ns is None else minimum_ns
    begin = clock()
    invocations, durations = 0, list[int]()
    while invocations == 0 or clock() - begin < minimum_ns:
        began = clock()
        times = run_pass()
        durations.append(clock() - began - times.reset_ns)
        invocations += len(times.began)
    return clock() - begin, invocations, int(statistics.median(durations)) * count // examples
