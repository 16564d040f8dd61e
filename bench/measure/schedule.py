"""The order of trials: rounds over all configurations, each round in its own shuffled order."""

from typing import NamedTuple

import numpy as np

from edge_bench.bench.worker.durations import TRIAL

__all__ = ["Generation", "passes_per_trial", "schedule"]


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


def passes_per_trial(pass_ns: int) -> int:
    """Return how many passes of ``pass_ns`` nanoseconds each make a trial long enough (200 ms); at least one."""
    return max(1, -(-TRIAL.nanoseconds() // max(pass_ns, 1)))
