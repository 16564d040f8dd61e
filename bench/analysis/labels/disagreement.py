"""Confusion matrices, and the images on which classifiers disagree."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    labels: Labels  # predicted labels, shape [images]; negative for an image without a class


@dataclass(frozen=True)
class Disagreement:
    """An image to which the classifiers give different labels."""

    image: int  # index in the test set
    within_group: bool  # whether classifiers of one group disagree
    names: Sequence[str]  # of the classifiers
    labels: Labels  # their labels, shape [classifiers]

    @property
    def votes(self) -> dict[int, list[str]]:
        """Label → names of the classifiers that predict it, most frequent label first."""
        votes: dict[int, list[str]] = {}
        for name, label in zip(self.names, self.labels.tolist(), strict=True):
            votes.setdefault(label, []).append(name)
        return dict(sorted(votes.items(), key=lambda item: -len(item[1])))


def find_disagreements(voters: Sequence[Predictions]) -> tuple[list[Disagreement], int]:
    """Return the common images on which the classifiers disagree, by index, and the number of common images.

    A negative label means an image without a class, which agrees with nothing.
    """
    if not voters:
        return [], 0
    common = voters[0].indices
    for voter in voters[1:]:
        if voter.indices is not common and not np.array_equal(voter.indices, common):
            common = np.intersect1d(common, voter.indices, assume_unique=True)
    if not len(common):
        return [], 0
    table = np.array([voter.labels[np.searchsorted(voter.indices, common)] for voter in voters])
    groups: dict[str, list[int]] = {}
    for number, voter in enumerate(voters):
        groups.setdefault(voter.group, []).append(number)
    within = np.zeros(len(common), np.bool_)
    for members in groups.values():
        within |= _differ(table[members])
    names = [voter.name for voter in voters]
    differing = np.flatnonzero(_differ(table))
    return [
        Disagreement(int(common[column]), bool(within[column]), names, table[:, column]) for column in differing
    ], len(common)


def _differ(table: Labels) -> npt.NDArray[np.bool_]:
    """Return for each column whether its labels are of different classes."""
    differ: npt.NDArray[np.bool_] = ((table != table[:1]) | (table < 0)).any(axis=0)
    return differ
