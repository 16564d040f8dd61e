"""Which worker runs which trial, in what order: rounds over all configurations, each in its own shuffled order."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Generation", "schedule"]


class Generation(NamedTuple):
    """One set of fresh worker processes; ``rounds[r]`` is the order of configurations (by number) in round r."""

    number: int
    rounds: list[list[int]]


def schedule(configurations: int, trials: int, processes: int, seed: int) -> list[Generation]:
    """Spreads ``trials`` over ``processes`` generations as evenly as they go, and shuffles every round.

    Interleaving makes drift hit all configurations alike, which about halves the variance between runs
    (google/benchmark's random interleaving). Same seed, same order.
    """
    processes = min(processes, trials)
    generator = np.random.default_rng(seed)
    whole, extra = divmod(trials, processes)
    return [
        Generation(index, [_order(generator.permutation(configurations)) for _ in range(whole + (index < extra))])
        for index in range(processes)
    ]


def _order(permutation: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    return [int(number) for number in permutation]
