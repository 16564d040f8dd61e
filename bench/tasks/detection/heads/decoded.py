"""Decoded boxes, and non-maximum suppression."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.tasks.detection.boxes import MOST_BOXES, Boxes, overlaps

__all__ = ["MOST_CANDIDATES", "Decoded", "suppress"]

#: Maximum number of compared candidates, those with the highest scores, as in YOLOv5 (``max_nms``).
MOST_CANDIDATES = 30_000


class Decoded(NamedTuple):
    """The boxes of one image, and how many were left out."""

    boxes: Boxes
    not_finite: int = 0  # boxes with a number that is not finite
    beyond_limit: int = (
        0  # boxes with lower scores than MOST_CANDIDATES others; after suppression in the graph, MOST_BOXES
    )


def suppress(
    corners: npt.NDArray[np.float64],
    classes: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float64],
    iou_threshold: float,
    most: int = MOST_BOXES,
) -> npt.NDArray[np.int64]:
    """Return the indices of the boxes that remain, the highest score first (non-maximum suppression).

    A box is dropped if it overlaps a box of the same class with a higher score by more than ``iou_threshold``
    (intersection over union). corners: [n, 4]; classes and scores: [n]. At most ``most`` are returned, of
    MOST_CANDIDATES.
    """
    order = np.argsort(-scores, kind="stable")[:MOST_CANDIDATES]
    kept: list[int] = []
    while order.size and len(kept) < most:
        first, order = int(order[0]), order[1:]
        kept.append(first)
        rivals = np.flatnonzero(classes[order] == classes[first])
        overlap = overlaps(corners[first : first + 1], corners[order[rivals]])[0]
        order = np.delete(order, rivals[overlap > iou_threshold])
    return np.array(kept, np.int64)
