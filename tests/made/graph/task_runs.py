"""Runs of tasks other than classify, made of known outputs and true values."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.boxes import Detections
from edge_bench.bench.records.outputs.masks import Segmentation
from edge_bench.bench.records.outputs.scores import ScoreTable
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth, TensorOutputs
from edge_bench.bench.records.run import Images, Result, Run
from edge_bench.bench.tasks.detection.boxes import Boxes, GroundTruth
from edge_bench.bench.tasks.detection.packed import pack_boxes
from edge_bench.bench.tasks.scores.tables import packed_scores
from edge_bench.bench.tasks.segmentation.recorder import SegmentationRecorder
from edge_bench.bench.tasks.tensors.recorder import Output, TensorRecorder
from tests.factories import result, run

__all__ = ["found", "masks", "perfect_boxes", "scores", "task_result", "task_run", "tensors"]


def task_result(variant: str, outputs: TaskOutputs | None, seconds: float = 1.0, **changes: Any) -> Result:
    """Thirty trials with these outputs and no predictions."""
    made = result(variant, "litert", seconds)
    trials = [msgspec.structs.replace(trial, correct=0) for trial in made.trials]
    return msgspec.structs.replace(made, predictions=None, outputs=outputs, trials=trials, **changes)


def task_run(
    task: str, *results: Result, examples: int, truth: TaskTruth | None = None, indices: Any = None, **changes: Any
) -> Run:
    """A Run of a task on that many examples, which have checksums and no labels."""
    positions = np.arange(examples) if indices is None else np.asarray(indices)
    images = Images(
        indices=pack(positions), labels=pack(np.zeros(0, np.int64)), total_images=int(positions.max()) + 1,
        checksums=pack(positions + 7),
    )  # fmt: skip
    whole = run(*results, on=changes.pop("on", None), bundle=changes.pop("bundle", "b"))
    return msgspec.structs.replace(whole, task=task, truth=truth, images=images, **changes)


def scores(values: npt.ArrayLike) -> ScoreTable:
    """Values of one output, shape [examples] or [examples, columns]."""
    return packed_scores(np.asarray(values, np.float32))


def found(truth: GroundTruth, boxes: Sequence[Boxes], categories: list[int] | None = None) -> Detections:
    """Detections in the images of a ground truth; classes are the numbers of its categories by default."""
    table = list(range(len(truth.categories))) if categories is None else categories
    return Detections(boxes=pack_boxes(boxes, truth.sizes), sizes=pack(truth.sizes.reshape(-1)), categories=table)


def perfect_boxes(truth: GroundTruth, score: float = 0.9) -> list[Boxes]:
    """The true boxes as detections."""
    return [
        Boxes(each.corners.astype(np.float32), each.categories, np.full(len(each.categories), score, np.float32))
        for each in truth.images
    ]


def masks(predicted: Sequence[npt.NDArray[Any]], true: Sequence[npt.NDArray[Any]] | None, classes: int) -> Segmentation:
    """Masks of a configuration, against true masks if there are any."""
    recorder = SegmentationRecorder(classes)
    for number, mask in enumerate(predicted):
        recorder.add(mask.astype(np.uint16), None if true is None else true[number].astype(np.uint16))
    return recorder.record()


def tensors(**outputs: npt.NDArray[Any]) -> TensorOutputs:
    """Outputs by name, the first axis the examples."""
    specs = [
        Output(name, TensorSpec(dtype=values.dtype.name, shape=[1, *values.shape[1:]]))
        for name, values in outputs.items()
    ]
    recorder = TensorRecorder(specs)
    for rows in zip(*outputs.values(), strict=True):
        recorder.add([np.asarray(row) for row in rows])
    return TensorOutputs(outputs=recorder.records())
