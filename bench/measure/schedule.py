"""The order of trials: rounds over all configurations, each round in its own shuffled order."""

from typing import NamedTuple

import numpy as np

__all__ = ["SHORT_TRIAL_NS", "Generation", "passes_per_trial", "schedule"]

#: pyperf's minimum duration of a trial.
SHORT_TRIAL_NS = 100_000_000
#: Passes are repeated within a trial up to this duration, so that noise does not push it below the minimum.
_TRIAL_NS = 200_000_000


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
    """Return how many passes of ``pass_ns`` nanoseconds each take at least 200 ms; at least one."""
    return max(1, -(-_TRIAL_NS // max(pass_ns, 1)))
