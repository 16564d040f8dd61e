"""Seeded samples of test images, equal on all machines."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["draw_evenly", "draw_for_trial"]


def draw_evenly(labels: npt.NDArray[Any], limit: int | None, seed: int) -> npt.NDArray[np.int64]:
    """Return ascending indices, shape [min(limit, n)], with the number of images per class as equal as possible.

    The first ``limit`` images are not used, because many files are sorted by class. The same labels, limit and seed
    give the same indices on all machines.
    """
    count = len(labels)
    if limit is None or limit >= count:
        return np.arange(count, dtype=np.int64)
    generator = np.random.default_rng(seed)
    shuffled = generator.permutation(count)
    # the k-th image of each class comes before the (k+1)-th of any
    rank = np.empty(count, dtype=np.int64)
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        rank[members] = np.arange(len(members))
    order = shuffled[np.argsort(rank[shuffled], kind="stable")]
    return np.sort(order[:limit])


def draw_for_trial(count: int, size: int, seed: int, process: int, round_number: int) -> npt.NDArray[np.int64]:
    """Return distinct ascending positions in 0..count-1, shape [min(size, count)], for one round of one process.

    All configurations of a round get the same images, so that their times and accuracies remain paired.
    """
    generator = np.random.default_rng([seed, process, round_number])
    return np.sort(generator.permutation(count)[:size])
