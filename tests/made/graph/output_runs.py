"""Runs of tasks other than classify, made of known boxes, masks and numbers."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.boxes import BoxTruth, CategoryRecord, Detections
from edge_bench.bench.records.outputs.masks import Segmentation, stored_mask
from edge_bench.bench.records.outputs.scores import ScoreTable, ValueTruth
from edge_bench.bench.records.outputs.tensors import pack_values
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth, TensorOutputs
from edge_bench.bench.records.run import Run
from edge_bench.bench.system.machine import Machine
from edge_bench.bench.tasks.detection.packed import pack_boxes
from edge_bench.bench.tasks.tensors.recorder import Output, TensorRecorder
from tests.factories import result, run
from tests.made.graph.boxes import boxes

__all__ = ["box_truth", "detections", "scores", "segmentation", "task_run", "tensors", "true_values"]

#: x0, y0, x1, y1, class, score, in pixels.
Row = Sequence[float]


def task_run(
    task: str, *outputs: TaskOutputs, count: int, truth: TaskTruth | None = None, on: Machine | None = None, **how: Any
) -> Run:
    """A Run of ``count`` examples with a configuration for each outputs: keras, dynamic, and so on."""
    variants = [("keras", "tensorflow"), ("dynamic", "litert"), ("int8", "litert"), ("float16", "litert")]
    results = [
        msgspec.structs.replace(result(variant, runtime, 1.0 / (number + 1)), predictions=None, outputs=each)
        for number, ((variant, runtime), each) in enumerate(zip(variants, outputs, strict=False))
    ]
    whole = run(*results, on=on)
    images = msgspec.structs.replace(
        whole.images, indices=pack(np.arange(count)), labels=pack(np.zeros(0, np.int64)), total_images=count
    )
    identity = msgspec.structs.replace(whole.bundle, classes=[])
    changes = {"task": task, "truth": truth, "images": images, "bundle": identity}
    return msgspec.structs.replace(whole, **(changes | how))


def detections(
    sizes: Sequence[tuple[int, int]], *images: Sequence[Row], categories: list[int] | None = None
) -> Detections:
    """The boxes of images of these widths and heights."""
    table = np.array(sizes, np.int64)
    packed = pack_boxes([boxes(*rows) for rows in images], table)
    return Detections(boxes=packed, sizes=pack(table.reshape(-1)), categories=categories)


def box_truth(sizes: Sequence[tuple[int, int]], names: Sequence[str], *images: Sequence[Row]) -> BoxTruth:
    """True boxes from rows of x0, y0, x1, y1, category and, if it is a crowd, 1."""
    rows = np.array([[*row, 0][:6] for image in images for row in image], np.float64).reshape(-1, 6)
    return BoxTruth(
        categories=[CategoryRecord(number + 1, name) for number, name in enumerate(names)],
        sizes=pack(np.array(sizes, np.int64).reshape(-1)),
        counts=pack(np.array([len(image) for image in images])),
        corners=pack_values(rows[:, :4].reshape(-1)),
        box_categories=pack(rows[:, 4].astype(np.int64)),
        crowd=pack(rows[:, 5].astype(np.int64)),
    )


def segmentation(classes: int, *masks: npt.NDArray[Any] | None) -> Segmentation:
    """Masks of class numbers, [height, width] each."""
    stored = [None if mask is None else stored_mask(mask.astype(np.uint8)) for mask in masks]
    return Segmentation(classes=classes, images=len(masks), masks=stored)


def tensors(**outputs: npt.NDArray[np.float32]) -> TensorOutputs:
    """Outputs by name, [examples, …] each."""
    known = [Output(name, TensorSpec(dtype="float32", shape=[1, *each.shape[1:]])) for name, each in outputs.items()]
    recorder = TensorRecorder(known)
    for values in zip(*outputs.values(), strict=True):
        recorder.add(list(values))
    return TensorOutputs(outputs=recorder.records())


def scores(values: npt.NDArray[np.floating[Any]]) -> ScoreTable:
    """Values of each example, [examples, columns]."""
    return ScoreTable(columns=values.shape[1], values=pack_values(values.reshape(-1)))


def true_values(values: npt.NDArray[np.float64]) -> ValueTruth:
    """True values of each example, [examples, columns]."""
    return ValueTruth(columns=values.shape[1], values=pack_values(values.reshape(-1)))
