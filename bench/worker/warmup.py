"""Warm-up of a session before it is timed."""

import math
import os
import statistics
from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from edge_bench.bench.errors import BadInput
from edge_bench.bench.runtimes.base import Clock, PassTimes, Session

__all__ = [
    "DEFAULT_WARM_UP_SECONDS",
    "SHORT_PASS_NS",
    "VARIABLE",
    "measured_pass_ns",
    "warm_up",
    "warm_up_ns",
    "warm_up_passes",
    "warm_up_seconds",
]

#: Default of TensorFlow Lite's benchmark_model: warmup_runs = 1, warmup_min_secs = 0.5.
DEFAULT_WARM_UP_SECONDS = 0.5
#: Passes that the warm-up expects to be shorter are run for their duration. A trial may have to repeat them, and the
#: expected duration counts the overhead of a call for each of its batches: for Keras, that can be most of it.
SHORT_PASS_NS = 1_000_000_000
VARIABLE = "EDGE_BENCH_WARM_UP_SECONDS"
_MOST_SECONDS = 3600.0


def warm_up_seconds() -> float:
    """Return the minimum duration of a warm-up. Raise BadInput if the environment variable for it is invalid.

    The variable is for this project's tests. The duration of each warm-up is in the Run
    (``ProcessRecord.warm_up_ns``).
    """
    value = os.environ.get(VARIABLE, "")
    try:
        seconds = float(value) if value else DEFAULT_WARM_UP_SECONDS
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _MOST_SECONDS:
        raise BadInput(f"{VARIABLE}={value[:40]!r}: not a number of seconds from 0 to {_MOST_SECONDS:,.0f}", "unset it")
    return seconds


def warm_up_ns() -> int:
    """Return the minimum duration of a warm-up in nanoseconds; raise BadInput as ``warm_up_seconds`` does."""
    return int(1e9 * warm_up_seconds())


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

    ``minimum_ns`` defaults to ``warm_up_ns()``. Resets of the model's state are part of the duration, not of the pass.

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
    minimum_ns = warm_up_ns() if minimum_ns is None else minimum_ns
    begin = clock()
    invocations, durations = 0, list[int]()
    while invocations == 0 or clock() - begin < minimum_ns:
        began = clock()
        times = run_pass()
        durations.append(clock() - began - times.reset_ns)
        invocations += len(times.began)
    return clock() - begin, invocations, int(statistics.median(durations)) * count // examples
