"""The order of trials: rounds over all configurations, each round in its own shuffled order."""

from typing import NamedTuple

import numpy as np

from edge_bench.bench.worker.warmup import stated_seconds

__all__ = [
    "DEFAULT_TRIAL_SECONDS", "VARIABLE", "Generation", "passes_per_trial", "schedule", "short_trial_ns",
    "trial_seconds",
]  # fmt: skip

#: Passes are repeated within a trial up to this duration, so that noise does not push it below half of it, which is
#: pyperf's minimum.
DEFAULT_TRIAL_SECONDS = 0.2
VARIABLE = "EDGE_BENCH_TRIAL_SECONDS"


class Generation(NamedTuple):
    """A set of fresh worker processes; ``rounds[r]`` is the order of configurations, by number, in round r."""

    number: int
    rounds: list[list[int]]


def schedule(configurations: int, trials: int, processes: int, seed: int, repeat: int = 0) -> list[Generation]:
    """Return up to ``processes`` generations with ``trials`` rounds in total, spread evenly and each shuffled.

    Interleaving exposes all configurations to the same drift, which about halves the variance between runs
    (google/benchmark's random interleaving). The same seed and ``repeat`` give the same order. Each repeat of a run has
    another order, so that no configuration always follows the same one. The first has the order of a single run (0).
    """
    processes = min(processes, trials)
    generator = np.random.default_rng([seed, max(0, repeat - 1)])  # [seed, 0] is the same as seed alone
    whole, extra = divmod(trials, processes)
    return [
        Generation(index, [generator.permutation(configurations).tolist() for _ in range(whole + (index < extra))])
        for index in range(processes)
    ]


def trial_seconds() -> float:
    """Return the minimum duration of a trial. Raise BadInput if the environment variable for it is invalid."""
    return stated_seconds(VARIABLE, DEFAULT_TRIAL_SECONDS)


def short_trial_ns() -> int:
    """Return the duration below which trials get a warning, in nanoseconds: 100 ms, unless it is set otherwise."""
    return int(5e8 * trial_seconds())


def passes_per_trial(pass_ns: int) -> int:
    """Return how many passes of ``pass_ns`` nanoseconds each take at least 200 ms; at least one."""
    return max(1, -(-int(1e9 * trial_seconds()) // max(pass_ns, 1)))
