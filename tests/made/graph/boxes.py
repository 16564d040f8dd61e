"""True boxes, detections near them, and raw outputs of detectors that were made from known boxes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_bench.bench.tasks.detection.boxes import Boxes, Category, GroundTruth, TrueBoxes, best_boxes
from edge_bench.bench.tasks.detection.heads.yolo_layout import HeadLayout
from edge_bench.bench.tasks.detection.letterbox import Placement

__all__ = ["boxes", "detections", "ground_truth", "scene", "yolo_head"]

SIZE = (640, 480)


def boxes(*rows: Sequence[float]) -> Boxes:
    """Detections from rows of x0, y0, x1, y1, class, score."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    return best_boxes(table[:, :4], table[:, 4], table[:, 5])


def ground_truth(*images: Sequence[Sequence[float]], categories: int = 3) -> GroundTruth:
    """True boxes from rows of x0, y0, x1, y1, category and, if it is a crowd, 1."""
    found = []
    for rows in images:
        table = np.array([[*row, 0][:6] for row in rows], np.float64).reshape(-1, 6)
        found.append(TrueBoxes(table[:, :4], table[:, 4].astype(np.int64), table[:, 5] > 0))
    sizes = np.tile(np.array(SIZE, np.int64), (len(images), 1))
    return GroundTruth(tuple(Category(n + 1, f"category {n}") for n in range(categories)), tuple(found), sizes)


def scene(images: int, categories: int, seed: int = 0, crowds: float = 0.0) -> GroundTruth:
    """Random true boxes, up to seven in an image."""
    draw = np.random.default_rng(seed)
    rows: list[list[list[float]]] = []
    for _ in range(images):
        rows.append([])
        for _ in range(draw.integers(0, 8)):
            x, y = draw.uniform(0, 500), draw.uniform(0, 350)
            width, height = draw.uniform(20, 130, 2)
            rows[-1].append(
                [x, y, x + width, y + height, float(draw.integers(categories)), float(draw.random() < crowds)]
            )
    return ground_truth(*rows, categories=categories)


def detections(truth: GroundTruth, seed: int = 0, *, steps: int = 0) -> list[Boxes]:
    """Return two detections near each true box, some of another category, and a few elsewhere.

    With ``steps`` scores are multiples of 1 / steps, so that many are equal.
    """
    draw = np.random.default_rng(seed)
    found = []
    for true in truth.images:
        corners = np.concatenate([np.repeat(true.corners, 2, axis=0), draw.uniform(0, 400, (3, 4))])
        corners[-3:, 2:] = corners[-3:, :2] + draw.uniform(20, 130, (3, 2))
        corners = corners + draw.normal(0, 6, corners.shape)
        classes = np.concatenate([np.repeat(true.categories, 2), draw.integers(len(truth.categories), size=3)])
        other = draw.random(len(classes)) < 0.2
        classes[other] = draw.integers(len(truth.categories), size=int(other.sum()))
        scores = draw.uniform(0.05, 1, len(classes))
        found.append(best_boxes(corners, classes, np.ceil(scores * steps) / steps if steps else scores))
    return found


def yolo_head(
    known: Boxes, layout: HeadLayout, places: npt.NDArray[np.int64], number: int, placement: Placement, *, pixels: bool
) -> npt.NDArray[np.float32]:
    """Return the output of a model that found these boxes, in ``places`` of its ``number`` boxes; others score 0."""
    corners = placement.to_input(known.corners.astype(np.float64))
    if not pixels:
        corners = corners / np.tile(placement.input_size, 2)
    rows = np.zeros((number, 4 + layout.objectness + layout.classes))
    rows[places, :2] = (corners[:, :2] + corners[:, 2:]) / 2
    rows[places, 2:4] = corners[:, 2:] - corners[:, :2]
    if layout.objectness:
        rows[places, 4] = 0.99
    rows[places, rows.shape[1] - layout.classes + known.classes] = known.scores / (0.99 if layout.objectness else 1)
    return (rows if layout.boxes_first else rows.T)[None].astype(np.float32)
