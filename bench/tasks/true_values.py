"""Comparison of the true values of two Runs for their common examples."""

import numpy as np

from edge_bench.bench.records.outputs.boxes import BoxTruth
from edge_bench.bench.records.outputs.scores import FlagTruth, ValueTruth
from edge_bench.bench.records.outputs.union import TaskTruth
from edge_bench.bench.tasks.detection.boxes import TrueBoxes
from edge_bench.bench.tasks.detection.truth import unpacked_truth
from edge_bench.bench.tasks.scores.tables import unpacked_flags, unpacked_values
from edge_bench.bench.tasks.task import Common

__all__ = ["differing_truths"]


def differing_truths(first: TaskTruth, second: TaskTruth, common: Common) -> int:
    """Return how many common examples have different true values; all if the values are of different kinds."""
    match first, second:
        case BoxTruth(), BoxTruth():
            return _differing_boxes(first, second, common)
        case (FlagTruth(), FlagTruth()) if first.columns == second.columns:
            differs = unpacked_flags(first)[common[0]] != unpacked_flags(second)[common[1]]
            return int(np.count_nonzero(differs.any(axis=1)))
        case (ValueTruth(), ValueTruth()) if first.columns == second.columns:
            unequal = unpacked_values(first)[common[0]] != unpacked_values(second)[common[1]]
            return int(np.count_nonzero(unequal.any(axis=1)))
    return len(common[0])


def _differing_boxes(first: BoxTruth, second: BoxTruth, common: Common) -> int:
    if first.categories != second.categories:
        return len(common[0])
    if first == second and np.array_equal(*common):
        return 0
    ours, theirs = unpacked_truth(first).images, unpacked_truth(second).images
    return sum(not _same(ours[one], theirs[other]) for one, other in zip(*common, strict=True))


def _same(first: TrueBoxes, second: TrueBoxes) -> bool:
    return (
        np.array_equal(first.corners, second.corners)
        and np.array_equal(first.categories, second.categories)
        and np.array_equal(first.crowd, second.crowd)
    )
