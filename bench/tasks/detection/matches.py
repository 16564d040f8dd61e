"""Detections on true boxes by COCO's rules: matching by pycocotools, kept for later resamples of images."""

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import DatasetError, MissingDependency
from edge_bench.bench.tasks.detection.boxes import Boxes, GroundTruth

__all__ = ["DetectionScore", "Evaluation", "Matches", "evaluate"]

#: Maximum number of detections of one category in one image that COCO scores, those with the highest scores.
_MOST_SCORED = 100
_ALL_SIZES = [0.0, 1e10]  # COCO's area range "all", in square pixels


class DetectionScore(NamedTuple):
    """COCO's measures over all object sizes, 0 to 1, averaged over the categories that occur."""

    mean_precision: float  # mAP@[.50:.95]: average precision, also over IoU thresholds 0.50, 0.55, ..., 0.95
    precision_50: float  # mAP@.50
    precision_75: float  # mAP@.75
    recall_1: float  # AR with the best detection of each category in an image, over the ten IoU thresholds
    recall_10: float
    recall_100: float


@dataclass(frozen=True)
class Matches:
    """All scored detections, by category and then by descending score, and whether each lies on a true box.

    Equal scores of a category are in the order of the images, as in the library.
    """

    image: npt.NDArray[np.int64]  # [detections]
    category: npt.NDArray[np.int64]  # [detections], ascending
    hit: npt.NDArray[np.bool_]  # [IoU thresholds, detections]: on a true box that counts
    counted: npt.NDArray[np.bool_]  # [IoU thresholds, detections]; others are on a crowd and are not errors
    true_boxes: npt.NDArray[np.int64]  # [images, categories]: boxes that count


@dataclass(frozen=True)
class Evaluation:
    """The score of one configuration, and the matches it was computed from."""

    score: DetectionScore
    matches: Matches


def evaluate(truth: GroundTruth, detections: Sequence[Boxes], categories: npt.NDArray[np.int64]) -> Evaluation:
    """Score the detections of all images of the ground truth, in its order, with pycocotools.

    categories: index of the category of each class, [classes]; negative for none, whose detections are not scored.
    Raise DatasetError if there are no true boxes, MissingDependency if pycocotools is not installed.
    """
    if len(detections) != len(truth.images):
        raise ValueError("detections and true boxes are of different images")
    if not len(truth.occurring()):
        raise DatasetError("cannot score detections: the images have no true boxes", "use images with objects")
    evaluator = _evaluated(_true_records(truth), _found_records(detections, categories), truth)
    precision, recall = evaluator.eval["precision"][:, :, :, 0, -1], evaluator.eval["recall"][:, :, 0, :]
    thresholds = evaluator.params.iouThrs
    score = DetectionScore(
        _mean(precision),
        _mean(precision[np.isclose(thresholds, 0.5)]),
        _mean(precision[np.isclose(thresholds, 0.75)]),
        *(_mean(recall[:, :, number]) for number in range(3)),
    )
    return Evaluation(score, _collected(evaluator, len(truth.images), len(truth.categories)))


def _evaluated(true: list[dict[str, Any]], found: list[dict[str, Any]], truth: GroundTruth) -> Any:
    coco, evaluator_type = _library()
    index = {
        "images": [{"id": number} for number in range(1, len(truth.images) + 1)],
        "categories": [{"id": number} for number in range(1, len(truth.categories) + 1)],
    }
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        sides = []
        for records in (true, found):
            side = coco()
            side.dataset = index | {"annotations": records}
            side.createIndex()
            sides.append(side)
        evaluator = evaluator_type(*sides, "bbox")
        evaluator.params.areaRng, evaluator.params.areaRngLbl = [_ALL_SIZES], ["all"]
        evaluator.params.maxDets = [1, 10, _MOST_SCORED]
        evaluator.evaluate()
        evaluator.accumulate()
    return evaluator


def _library() -> tuple[Any, Any]:
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError:
        raise MissingDependency(
            "pycocotools, which is needed to score detections, is not installed", "pip install pycocotools"
        ) from None
    return COCO, COCOeval


def _true_records(truth: GroundTruth) -> list[dict[str, Any]]:
    """Return the true boxes as COCO's annotations. Numbers begin at 1, because the library treats 0 as no match."""
    rows = (
        (image, row, category, crowd)
        for image, boxes in enumerate(truth.images, 1)
        for row, category, crowd in zip(*(each.tolist() for each in boxes), strict=True)
    )
    return [
        _record(number, image, category + 1, row) | {"iscrowd": int(crowd)}
        for number, (image, row, category, crowd) in enumerate(rows, 1)
    ]


def _found_records(detections: Sequence[Boxes], categories: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    return [
        _record(number, image, category + 1, row) | {"score": score}
        for number, (image, row, category, score) in enumerate(_known(detections, categories), 1)
    ]


def _known(
    detections: Sequence[Boxes], categories: npt.NDArray[np.int64]
) -> Iterator[tuple[int, list[float], int, float]]:
    """Yield image, from 1, corners, category and score of the detections whose class has a category."""
    table = np.append(categories, -1)
    for image, boxes in enumerate(detections, 1):
        of_box = table[np.minimum(boxes.classes, len(categories))]
        known = of_box >= 0
        columns = (boxes.corners[known].astype(np.float64), of_box[known], boxes.scores[known].astype(np.float64))
        for row, category, score in zip(*(each.tolist() for each in columns), strict=True):
            yield image, row, category, score


def _record(number: int, image: int, category: int, row: list[float]) -> dict[str, Any]:
    x, y, width, height = row[0], row[1], row[2] - row[0], row[3] - row[1]
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [x, y, width, height],
        "area": min(max(width * height, 0.0), _ALL_SIZES[1]),  # so that all are within the range "all"
        "iscrowd": 0,
    }


def _mean(values: npt.NDArray[np.float64]) -> float:
    """Return the mean over the categories that occur. The library marks others by -1."""
    return float(np.mean(values[values > -1]))


def _collected(evaluator: Any, images: int, categories: int) -> Matches:
    """Return the matches of each category and image, which the library lists by category, then image."""
    image, category, scores, true_boxes = [], [], [], np.zeros((images, categories), np.int64)
    hits, counted = [], []
    for number, entry in enumerate(evaluator.evalImgs):
        if entry is None:
            continue
        of_category, of_image = divmod(number, images)
        true_boxes[of_image, of_category] = np.count_nonzero(np.asarray(entry["gtIgnore"]) == 0)
        count = len(entry["dtScores"])
        image.append(np.full(count, of_image, np.int64))
        category.append(np.full(count, of_category, np.int64))
        scores.append(np.asarray(entry["dtScores"], np.float64))
        ignored = np.asarray(entry["dtIgnore"], np.bool_)
        hits.append((np.asarray(entry["dtMatches"]) > 0) & ~ignored)
        counted.append(~ignored)
    of_detections = [np.concatenate(each) for each in (image, category, scores)]
    order = np.lexsort((-of_detections[2], of_detections[1]))
    return Matches(
        image=of_detections[0][order],
        category=of_detections[1][order],
        hit=np.concatenate(hits, axis=1)[:, order],
        counted=np.concatenate(counted, axis=1)[:, order],
        true_boxes=true_boxes,
    )
