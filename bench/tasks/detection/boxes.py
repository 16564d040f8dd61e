"""Predicted and true boxes of an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.outputs.boxes import MOST_BOXES

__all__ = ["MOST_BOXES", "Boxes", "Category", "GroundTruth", "TrueBoxes", "best_boxes", "overlaps", "within_image"]


class Boxes(NamedTuple):
    """Detections in one image, the highest score first."""

    corners: npt.NDArray[np.float32]  # [n, 4]: x0, y0, x1, y1 in pixels of the original image; may be outside it
    classes: npt.NDArray[np.int64]  # [n]: the model's class indices, from 0
    scores: npt.NDArray[np.float32]  # [n]


class TrueBoxes(NamedTuple):
    """The true boxes of one image."""

    corners: npt.NDArray[np.float64]  # [n, 4]: x0, y0, x1, y1 in pixels of the original image
    categories: npt.NDArray[np.int64]  # [n]: indices in the list of categories
    crowd: npt.NDArray[np.bool_]  # [n]: boxes around a group, which COCO neither requires nor counts as an error


class Category(NamedTuple):
    """A category of objects in the ground truth."""

    id: int
    name: str


@dataclass(frozen=True)
class GroundTruth:
    """The true boxes of a list of images."""

    categories: tuple[Category, ...]  # ascending by id
    images: tuple[TrueBoxes, ...]  # in the order of the list of images
    sizes: npt.NDArray[np.int64]  # [images, 2]: width and height in pixels
    notes: tuple[str, ...] = ()

    def occurring(self) -> npt.NDArray[np.int64]:
        """Return the indices of the categories that have a box, except boxes of crowds, ascending."""
        found = [each.categories[~each.crowd] for each in self.images]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)


def best_boxes(corners: npt.ArrayLike, classes: npt.ArrayLike, scores: npt.ArrayLike, most: int = MOST_BOXES) -> Boxes:
    """Return the ``most`` boxes with the highest scores. Among equal scores, the first are preferred.

    The arrays have the shapes [n, 4], [n] and [n].
    """
    scores = np.asarray(scores, np.float32)
    order = np.argsort(-scores, kind="stable")[:most]
    return Boxes(
        np.asarray(corners, np.float32).reshape(-1, 4)[order], np.asarray(classes, np.int64)[order], scores[order]
    )


def within_image(boxes: Boxes, size: Sequence[int]) -> Boxes:
    """Return the boxes cropped to an image of that width and height."""
    limits = np.array([*size, *size], np.float32)
    return boxes._replace(corners=np.clip(boxes.corners, np.float32(0), limits))


def overlaps(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the intersection over union of all pairs of boxes, shape [n, m], from corners [n, 4] and [m, 4].

    A box without area does not overlap with anything.
    """
    first, second = first.astype(np.float64)[:, None], second.astype(np.float64)[None]
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])
    shared = np.clip(sides, 0, None).prod(axis=-1)
    areas = [np.clip(each[..., 2:] - each[..., :2], 0, None).prod(axis=-1) for each in (first, second)]
    union = areas[0] + areas[1] - shared
    ratio: npt.NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio
