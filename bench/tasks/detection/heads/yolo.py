"""Decoding of YOLO models' raw outputs to boxes: thresholds, suppression, and removal of borders."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput
from edge_bench.bench.tasks.detection.boxes import MOST_BOXES, best_boxes, within_image
from edge_bench.bench.tasks.detection.heads.decoded import MOST_CANDIDATES, Decoded, suppress
from edge_bench.bench.tasks.detection.heads.yolo_layout import HeadLayout
from edge_bench.bench.tasks.detection.letterbox import Placement

__all__ = ["IOU_THRESHOLD", "SCORE_THRESHOLD", "decode_yolo"]

#: Boxes with lower scores are dropped. COCO's mean average precision counts boxes of all scores, so a display threshold
#: (0.25) would lower it. YOLOv5 and Ultralytics also validate with 0.001.
SCORE_THRESHOLD = 0.001
#: A box that overlaps a better one of the same class by more is dropped (intersection over union).
IOU_THRESHOLD = 0.45
#: How far quantization may push a score outside 0 to 1.
_SLACK = 0.02


def decode_yolo(
    head: npt.NDArray[Any],
    layout: HeadLayout,
    placement: Placement,
    size: tuple[int, int],
    *,
    pixels: bool,
    score_threshold: float = SCORE_THRESHOLD,
    iou_threshold: float = IOU_THRESHOLD,
    several_classes: bool = True,
    most: int = MOST_BOXES,
) -> Decoded:
    """Return the boxes of one image of width and height ``size``, cropped to the image.

    A score is the class score times the objectness, if there is one. With ``several_classes`` each class of a box above
    the threshold is a detection, as in validation by YOLOv5 and Ultralytics; otherwise only its best class. `suppress`
    is applied last. pixels: whether coordinates are pixels of the input instead of fractions of its sides. Raise
    BadInput if scores are not from 0 to 1, ValueError for another shape than ``layout``.
    """
    rows = layout.rows(head)
    finite = np.isfinite(rows).all(axis=1)
    not_finite = len(rows) - int(np.count_nonzero(finite))
    rows = rows[finite] if not_finite else rows
    first = rows.shape[1] - layout.classes
    _refuse_other_scores(rows[:, first - layout.objectness :])
    if layout.objectness:
        rows = rows[rows[:, first - 1] > score_threshold]  # no score can be higher than its objectness
    table = rows[:, first:] * rows[:, first - 1 : first] if layout.objectness else rows[:, first:]
    box, classes = _above(table, score_threshold, several_classes)
    scores = table[box, classes]
    corners = _corners(rows[box, :4])
    kept = suppress(corners, classes, scores, iou_threshold, most)
    corners = corners[kept] if pixels else corners[kept] * np.tile(placement.input_size, 2)
    boxes = best_boxes(placement.to_image(corners), classes[kept], scores[kept], most)
    return Decoded(within_image(boxes, size), not_finite, max(0, len(scores) - MOST_CANDIDATES))


def _refuse_other_scores(scores: npt.NDArray[np.float64]) -> None:
    if scores.size and not -_SLACK <= scores.min() <= scores.max() <= 1 + _SLACK:
        raise BadInput(
            f"scores of the model are from {scores.min():.3g} to {scores.max():.3g} instead of 0 to 1",
            "export the model with its last activation, or check --head and --classes",
        )


def _above(
    table: npt.NDArray[np.float64], threshold: float, several_classes: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return row and class of the scores above the threshold, [candidates] each."""
    if several_classes:
        box, classes = np.nonzero(table > threshold)
        return box.astype(np.int64), classes.astype(np.int64)
    best = table.argmax(axis=1)
    box = np.flatnonzero(table[np.arange(len(table)), best] > threshold)
    return box.astype(np.int64), best[box].astype(np.int64)


def _corners(boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return x0, y0, x1, y1 of centre x, centre y, width and height, shape [n, 4]."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)
