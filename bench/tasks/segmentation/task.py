"""Segmentation as a task: mean IoU and pixel accuracy, and the pixels on which two configurations agree."""

from collections.abc import Sequence

import numpy as np

from edge_bench.bench.records.outputs.masks import Segmentation
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth
from edge_bench.bench.tasks.measures import (
    Measure,
    MeasureDifference,
    TaskAgreement,
    difference_of,
    measure_of,
    not_comparable,
)
from edge_bench.bench.tasks.segmentation.agreement import mask_agreement
from edge_bench.bench.tasks.segmentation.quality import segmentation_difference, segmentation_quality
from edge_bench.bench.tasks.task import Common, Task

__all__ = ["SEGMENT"]

_NAMES = ("mean IoU", "pixel accuracy")
_NOTHING = "no pixel is scored"


def _measures(outputs: TaskOutputs, _truth: TaskTruth | None, seed: int | None) -> Sequence[Measure]:
    if not isinstance(outputs, Segmentation) or outputs.cells is None:
        return []
    try:
        found = segmentation_quality(outputs, seed)
    except ValueError as cause:
        return [Measure(name=name, value=None, remark=str(cause)) for name in _NAMES]
    estimates = (found.mean_iou, found.pixel_accuracy)
    return [measure_of(name, each, _NOTHING) for name, each in zip(_NAMES, estimates, strict=True)]


def _differences(
    outputs: TaskOutputs, others: TaskOutputs, _truth: TaskTruth | None, common: Common, seed: int
) -> Sequence[MeasureDifference]:
    if not isinstance(outputs, Segmentation) or not isinstance(others, Segmentation):
        return []
    if outputs.cells is None or others.cells is None or not len(common[0]):
        return []
    try:
        found = segmentation_difference(outputs, others, seed, common)
    except ValueError as cause:
        return [MeasureDifference(name=name, value=None, remark=str(cause)) for name in _NAMES]
    sides = ((found.mean_iou, found.baseline_mean_iou), (found.pixel_accuracy, found.baseline_pixel_accuracy))
    return [
        difference_of(name, estimate, _NOTHING, differing=found.differing, baseline=baseline)
        for name, (estimate, baseline) in zip(_NAMES, sides, strict=True)
    ]


def _agreement(outputs: TaskOutputs, others: TaskOutputs, common: Common) -> TaskAgreement:
    if not isinstance(outputs, Segmentation) or not isinstance(others, Segmentation):
        raise ValueError("the outputs are not masks")
    try:
        found = mask_agreement(outputs, others, common)
    except ValueError as cause:
        return not_comparable(len(common[0]), cause)
    if found.same_share is None or found.worst_share is None:
        return not_comparable(found.total_images, "no common image has a stored mask in both")
    some = "" if found.images == found.total_images else f" of the {found.images:,} images with stored masks"
    return TaskAgreement(
        share=found.same_share,
        text=f"{_percent(found.same_share)} % of pixels{some}, least {_percent(found.worst_share)} % in an image",
        examples=found.total_images,
        identical=found.identical if found.images == found.total_images else None,
        worst=found.worst_images,
    )


def _percent(share: float) -> str:
    """Return a share as a percentage; 100.00 only if it is all."""
    return f"{np.floor(share * 1e4) / 100 if share < 1 else 100:.2f}"


SEGMENT = Task(
    name="segment",
    summary="the class of each pixel",
    measures=_measures,
    differences=_differences,
    agreement=_agreement,
    scoring="mean IoU is the mean over the classes of the true masks, from the pixels of all images together",
)
