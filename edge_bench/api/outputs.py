"""Outputs and true values of a Run as numpy arrays, one entry per example."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.outputs.boxes import BoxTruth, Detections
from edge_bench.bench.records.outputs.masks import Segmentation, unpacked_mask
from edge_bench.bench.records.outputs.scores import FlagTruth, ScoreTable, ValueTruth
from edge_bench.bench.records.outputs.union import TensorOutputs
from edge_bench.bench.records.run import CLASSIFY, Result, Run
from edge_bench.bench.tasks.detection.truth import unpacked_detections, unpacked_truth
from edge_bench.bench.tasks.scores.tables import unpacked_flags, unpacked_values
from edge_bench.bench.tasks.tensors.agreement import StoredExamples

__all__ = ["Boxes", "Mask", "Outputs", "Truth", "outputs_of", "truth_of"]

Mask = npt.NDArray[np.uint16]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes of one image: predicted boxes, the highest score first, or true boxes.

    corners: x0, y0, x1, y1 in pixels of the original image, [n, 4]
    classes: predicted boxes: the model's class indices; true boxes: indices in the list of categories, [n]
    names: of the classes; the same for predicted and true boxes of a category
    scores: [n]; 1 for true boxes
    crowd: whether a true box is around a group, [n]
    width, height: of the image in pixels
    """

    corners: npt.NDArray[np.float64]
    classes: npt.NDArray[np.int64]
    names: list[str]
    scores: npt.NDArray[np.float32]
    crowd: npt.NDArray[np.bool_]
    width: int
    height: int

    def __len__(self) -> int:
        return len(self.classes)


#: detect: boxes; segment: masks; regress, binary, multilabel: numbers; tensor: all outputs by name.
Outputs: TypeAlias = list[Boxes] | list[Mask | None] | Numbers | list[dict[str, npt.NDArray[Any]]]
#: classify: labels; detect: boxes; regress: numbers; binary, multilabel: 0 and 1; None: unknown, or masks.
Truth: TypeAlias = npt.NDArray[np.int64] | list[Boxes] | Numbers | npt.NDArray[np.bool_] | None


def outputs_of(run: Run, result: Result) -> Outputs | None:
    """Return a result's outputs; None if it has none."""
    record = result.outputs
    if isinstance(record, Detections):
        return _found_boxes(run, record)
    if isinstance(record, Segmentation):
        return [None if mask is None else unpacked_mask(mask) for mask in record.masks]
    if isinstance(record, ScoreTable):
        return unpacked_values(record)
    return _tensors(record) if isinstance(record, TensorOutputs) else None


def truth_of(run: Run) -> Truth:
    """Return the true values of a Run's examples; None if they are unknown, and for masks, which are not stored."""
    if run.task == CLASSIFY:
        return unpack(run.images.labels).astype(np.int64) if run.labelled else None
    if isinstance(run.truth, BoxTruth):
        return _true_boxes(run.truth)
    if isinstance(run.truth, FlagTruth):
        return unpacked_flags(run.truth)
    return unpacked_values(run.truth) if isinstance(run.truth, ValueTruth) else None


def _found_boxes(run: Run, record: Detections) -> list[Boxes]:
    names = _class_names(run, record)
    sizes = unpack(record.sizes).astype(np.int64).reshape(-1, 2)
    return [
        Boxes(
            corners=boxes.corners.astype(np.float64),
            classes=boxes.classes,
            names=[names.get(number, str(number)) for number in boxes.classes.tolist()],
            scores=boxes.scores,
            crowd=np.zeros(len(boxes.classes), np.bool_),
            width=width,
            height=height,
        )
        for boxes, (width, height) in zip(unpacked_detections(record), sizes.tolist(), strict=True)
    ]


def _class_names(run: Run, record: Detections) -> dict[int, str]:
    """Return the names of a detector's classes: those of the true boxes, otherwise the model's."""
    names = dict(enumerate(run.bundle.classes))
    if record.categories is not None and isinstance(run.truth, BoxTruth):
        known = run.truth.categories
        names |= {number: known[each].name for number, each in enumerate(record.categories) if 0 <= each < len(known)}
    return names


def _true_boxes(record: BoxTruth) -> list[Boxes]:
    truth = unpacked_truth(record)
    return [
        Boxes(
            corners=boxes.corners,
            classes=boxes.categories,
            names=[truth.categories[number].name for number in boxes.categories.tolist()],
            scores=np.ones(len(boxes.categories), np.float32),
            crowd=boxes.crowd,
            width=width,
            height=height,
        )
        for boxes, (width, height) in zip(truth.images, truth.sizes.tolist(), strict=True)
    ]


def _tensors(record: TensorOutputs) -> list[dict[str, npt.NDArray[Any]]]:
    """Return the values of the stored examples in real units. A partly stored example is a flat sample."""
    outputs = [(output.name, StoredExamples(output)) for output in record.outputs]
    stored = min((output.stored for output in record.outputs), default=0)
    return [{name: _shaped(values, example) for name, values in outputs} for example in range(stored)]


def _shaped(stored: StoredExamples, example: int) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = stored.values(example)
    shape: Sequence[int] = stored.shape(example)
    return values if stored.is_sampled(example) else values.reshape(shape)
