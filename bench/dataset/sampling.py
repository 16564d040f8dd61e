"""Which test images are used when not all are: seeded draws, the same on every machine."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["draw_evenly", "draw_for_trial"]


def draw_evenly(labels: npt.NDArray[Any], limit: int | None, seed: int) -> npt.NDArray[np.int64]:
    """Indices, shape [min(limit, n)], ascending, with every class's share as even as the classes allow.

    The first ``limit`` images would do only where a file is in random order; many are sorted by class. Same labels,
    limit and seed, same draw, on every machine.
    """
    count = len(labels)
    if limit is None or limit >= count:
        return np.arange(count, dtype=np.int64)
    generator = np.random.default_rng(seed)
    shuffled = generator.permutation(count)
    # the k-th image of each class comes before the (k+1)-th of any
    turn = np.empty(count, dtype=np.int64)
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        turn[members] = np.arange(len(members))
    order = shuffled[np.argsort(turn[shuffled], kind="stable")]
    return np.sort(order[:limit])


def draw_for_trial(count: int, size: int, seed: int, process: int, round_number: int) -> npt.NDArray[np.int64]:
    """Places 0..count-1, shape [min(size, count)], ascending, without repetition, for one round of one process.

    All configurations of a round get the same images, so that their times and accuracies stay paired.
    """
    generator = np.random.default_rng([seed, process, round_number])
    return np.sort(generator.permutation(count)[:size])
