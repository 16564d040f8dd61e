"""What a classifier takes for what, and on which images classifiers disagree."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Disagreement", "Predictions", "confusion_matrix", "find_disagreements"]

Labels = npt.NDArray[np.int64]


def confusion_matrix(truth: Labels, predicted: Labels, classes: int) -> npt.NDArray[np.int64]:
    """Counts, shape [classes, classes]: row = true label, column = predicted label; both arguments shape [images].

    Raises ValueError for labels outside 0 … classes - 1.
    """
    if truth.shape != predicted.shape:
        raise ValueError("true and predicted labels are of different images")
    both = np.concatenate([truth, predicted])
    if both.size and not 0 <= both.min() <= both.max() < classes:
        raise ValueError(f"a label is outside 0 … {classes - 1}")
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (truth, predicted), 1)
    return matrix


class Predictions(NamedTuple):
    """One classifier's predictions."""

    name: str
    group: str  # voters of one group should agree: the same variant on several runtimes or machines
    indices: Labels  # of the images in the test set, ascending, shape [images]
    labels: Labels  # shape [images]


class Disagreement(NamedTuple):
    """An image that not all voters give the same label."""

    image: int  # its index in the test set
    votes: dict[int, list[str]]  # label → who gave it, most voters first
    within_group: bool  # whether voters of one group disagree, too


def find_disagreements(voters: Sequence[Predictions]) -> tuple[list[Disagreement], int]:
    """The images, among those that all voters saw, on which they disagree, by index; and how many all saw."""
    if not voters:
        return [], 0
    common = voters[0].indices
    for voter in voters[1:]:
        common = np.intersect1d(common, voter.indices, assume_unique=True)
    table = np.array([voter.labels[np.searchsorted(voter.indices, common)] for voter in voters])
    differing = np.flatnonzero((table != table[:1]).any(axis=0)) if len(common) else np.array([], dtype=np.int64)
    return [_find_disagreement(voters, int(common[place]), table[:, place]) for place in differing], len(common)


def _find_disagreement(voters: Sequence[Predictions], index: int, labels: Labels) -> Disagreement:
    votes: dict[int, list[str]] = {}
    by_group: dict[str, set[int]] = {}
    for voter, label in zip(voters, labels, strict=True):
        votes.setdefault(int(label), []).append(voter.name)
        by_group.setdefault(voter.group, set()).add(int(label))
    ordered = dict(sorted(votes.items(), key=lambda item: -len(item[1])))
    return Disagreement(index, ordered, any(len(given) > 1 for given in by_group.values()))
