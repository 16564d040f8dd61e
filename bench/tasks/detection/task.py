"""Detection as a task: COCO's mean average precision and recall, and the agreement of two configurations' boxes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.records.outputs.boxes import BoxTruth, Detections
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth
from edge_bench.bench.stats.bootstrap import MIN_EXAMPLES
from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.tasks.content_cache import cached_by_content
from edge_bench.bench.tasks.detection.agreement import box_agreement
from edge_bench.bench.tasks.detection.boxes import Boxes, GroundTruth
from edge_bench.bench.tasks.detection.matches import evaluate
from edge_bench.bench.tasks.detection.resampling import Resampled, percentile_interval, resampled
from edge_bench.bench.tasks.detection.truth import unpacked_detections, unpacked_truth
from edge_bench.bench.tasks.measures import Measure, MeasureDifference, TaskAgreement
from edge_bench.bench.tasks.task import Common, Positions, Task
from edge_bench.bench.wording import counted

__all__ = ["DETECT"]

#: Of the measures in `resampling.MEASURES`, in its order.
_NAMES = ("mAP", "mAP@.50", "AR@100")


def _measures(outputs: TaskOutputs, truth: TaskTruth | None, seed: int | None) -> Sequence[Measure]:
    if not isinstance(outputs, Detections) or not isinstance(truth, BoxTruth) or outputs.categories is None:
        return []
    images = np.arange(truth.counts.length)
    try:
        found = _scores(outputs, truth, images, images, seed)
    except EdgeBenchError as cause:
        return [Measure(name=name, value=None, remark=_reason(cause)) for name in _NAMES]
    return [
        Measure(name=name, value=value, interval=_interval(found.drawn[:, number], value, len(images)))
        for number, (name, value) in enumerate(zip(_NAMES, found.whole.tolist(), strict=True))
    ]


def _differences(
    outputs: TaskOutputs, others: TaskOutputs, truth: TaskTruth | None, common: Common, seed: int
) -> Sequence[MeasureDifference]:
    if not isinstance(outputs, Detections) or not isinstance(others, Detections) or not len(common[0]):
        return []
    if not isinstance(truth, BoxTruth) or outputs.categories is None or others.categories is None:
        return []
    try:
        ours = _scores(outputs, truth, common[0], common[0], seed)
        theirs = _scores(others, truth, common[1], common[0], seed)
    except EdgeBenchError as cause:
        return [MeasureDifference(name=name, value=None, remark=_reason(cause)) for name in _NAMES]
    differing = int(np.count_nonzero(~_identical(*_sides(outputs, others, common))))
    return [
        MeasureDifference(
            name=name,
            value=value,
            interval=_interval(ours.drawn[:, number] - theirs.drawn[:, number], value, len(common[0])),
            differing=differing,
            baseline=float(theirs.whole[number]),
        )
        for number, (name, value) in enumerate(zip(_NAMES, (ours.whole - theirs.whole).tolist(), strict=True))
    ]


@cached_by_content
def _scores(
    outputs: Detections, truth: BoxTruth, images: Positions, true_images: Positions, seed: int | None
) -> Resampled:
    """Return the measures of the outputs' ``images``, which are the ``true_images`` of the truth."""
    known, boxes = unpacked_truth(truth), unpacked_detections(outputs)
    chosen = GroundTruth(
        known.categories, tuple(known.images[number] for number in true_images), known.sizes[true_images]
    )
    categories = np.array(outputs.categories, np.int64)
    return resampled(evaluate(chosen, [boxes[number] for number in images], categories).matches, seed=seed)


def _agreement(outputs: TaskOutputs, others: TaskOutputs, common: Common) -> TaskAgreement:
    if not isinstance(outputs, Detections) or not isinstance(others, Detections):
        raise ValueError("the outputs are not boxes")
    first, second = _sides(outputs, others, common)
    found = box_agreement(first, second)
    text = f"{found.matched:,} of {counted(found.boxes, 'box')}"
    if found.mean_iou is not None:
        text += f", mean IoU {found.mean_iou:.3f}"
    return TaskAgreement(
        share=found.share,
        text=text if found.boxes else f"no box above {found.score}",
        examples=found.images,
        identical=int(np.count_nonzero(_identical(first, second))),
        worst=[each.image for each in found.worst],
    )


def _sides(outputs: Detections, others: Detections, common: Common) -> tuple[list[Boxes], list[Boxes]]:
    """Return the boxes of the common images of both, with comparable classes.

    If the models number their classes differently, categories are used, and boxes without one are left out.
    """
    first, second = (
        [boxes[number] for number in chosen]
        for boxes, chosen in zip(map(unpacked_detections, (outputs, others)), common, strict=True)
    )
    if outputs.categories is None or others.categories is None or outputs.categories == others.categories:
        return first, second
    return _by_category(first, outputs.categories), _by_category(second, others.categories)


def _by_category(images: list[Boxes], categories: list[int]) -> list[Boxes]:
    table = np.append(np.array(categories, np.int64), -1)
    found = []
    for boxes in images:
        classes = table[np.minimum(boxes.classes, len(categories))]
        known = classes >= 0
        found.append(Boxes(boxes.corners[known], classes[known], boxes.scores[known]))
    return found


def _identical(first: Sequence[Boxes], second: Sequence[Boxes]) -> npt.NDArray[np.bool_]:
    """Return which images have equal boxes, in the same order."""
    return np.array(
        [
            np.array_equal(one.scores, other.scores)
            and np.array_equal(one.classes, other.classes)
            and np.array_equal(one.corners, other.corners)
            for one, other in zip(first, second, strict=True)
        ],
        np.bool_,
    )


def _interval(drawn: npt.NDArray[np.float64], value: float, images: int) -> Interval | None:
    return percentile_interval(drawn, value) if images >= MIN_EXAMPLES else None


def _reason(cause: EdgeBenchError) -> str:
    return f"{cause.problem}: {cause.remedy}"


DETECT = Task(
    name="detect",
    summary="boxes with classes and scores",
    measures=_measures,
    differences=_differences,
    agreement=_agreement,
    scoring="mAP is COCO's mAP@[.50:.95], the mean over IoU thresholds and categories; AR@100 is its mean recall",
)
