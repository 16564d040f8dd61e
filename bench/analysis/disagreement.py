"""Confusion matrices, and the images on which classifiers disagree."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Disagreement", "Predictions", "confusion_matrix", "find_disagreements"]

Labels = npt.NDArray[np.int64]


def confusion_matrix(truth: Labels, predicted: Labels, classes: int) -> npt.NDArray[np.int64]:
    """Return counts, shape [classes, classes], by true label (row) and predicted label (column).

    Both label arrays have shape [images]. Raise ValueError if their shapes differ or a label is outside
    0 … classes - 1.
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
    group: str  # classifiers of one group should agree: the same variant on several runtimes or machines
    indices: Labels  # images' indices in the test set, ascending, shape [images]
    labels: Labels  # predicted labels, shape [images]; negative for an image without finite scores


class Disagreement(NamedTuple):
    """An image to which not all classifiers give the same label."""

    image: int  # index in the test set
    votes: dict[int, list[str]]  # label → names of the classifiers that predict it, most frequent label first
    within_group: bool  # whether classifiers of one group disagree


def find_disagreements(voters: Sequence[Predictions]) -> tuple[list[Disagreement], int]:
    """Return the common images on which the classifiers disagree, by index, and the number of common images.

    An image without finite scores agrees with nothing.
    """
    if not voters:
        return [], 0
    common = voters[0].indices
    for voter in voters[1:]:
        common = np.intersect1d(common, voter.indices, assume_unique=True)
    table = np.array([voter.labels[np.searchsorted(voter.indices, common)] for voter in voters])
    differing = (
        np.flatnonzero(((table != table[:1]) | (table < 0)).any(axis=0))
        if len(common)
        else np.array([], dtype=np.int64)
    )
    return [_disagreement(voters, int(common[column]), table[:, column]) for column in differing], len(common)


def _disagreement(voters: Sequence[Predictions], index: int, labels: Labels) -> Disagreement:
    votes: dict[int, list[str]] = {}
    by_group: dict[str, set[int]] = {}
    for voter, label in zip(voters, labels, strict=True):
        votes.setdefault(int(label), []).append(voter.name)
        by_group.setdefault(voter.group, set()).add(int(label))
    ordered = dict(sorted(votes.items(), key=lambda item: -len(item[1])))
    return Disagreement(index, ordered, any(len(distinct) > 1 or min(distinct) < 0 for distinct in by_group.values()))
