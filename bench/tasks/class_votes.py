"""Votes on the predicted class for each true class: one vote per image and class."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.outputs.masks import ConfusionCells
from edge_bench.bench.tasks.detection.boxes import Boxes, TrueBoxes
from edge_bench.bench.tasks.detection.class_maps import classes_on_true_boxes

__all__ = ["Votes", "box_votes", "mask_votes"]

Numbers = npt.NDArray[np.int64]


class Votes(NamedTuple):
    """True class and predicted class, [votes] each; -1: none of the classes."""

    truth: Numbers
    predicted: Numbers


def mask_votes(cells: ConfusionCells, classes: int) -> Votes:
    """Return the most frequent predicted class of a true class's pixels, for each image and class."""
    image, truth, predicted, pixels = (
        unpack(each).astype(np.int64) for each in (cells.images, cells.truth, cells.predicted, cells.pixels)
    )
    order = np.lexsort((-pixels, truth, image))
    image, truth, predicted = image[order], truth[order], predicted[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (image[1:] != image[:-1]) | (truth[1:] != truth[:-1])
    return Votes(truth[first], np.where(predicted[first] < classes, predicted[first], -1))


def box_votes(images: Sequence[TrueBoxes], found: Sequence[Boxes], categories: Sequence[int]) -> Votes:
    """Return the most frequent predicted category of a true category's boxes, for each image and category.

    A true box gets the category of the best detection on it. Without one it has no vote. ``categories`` has the
    category of each class, -1 for none.
    """
    table = np.append(np.array(categories, np.int64), -1)
    truth, predicted = list[int](), list[int]()
    for true, boxes in zip(images, found, strict=True):
        told, classes = classes_on_true_boxes(true, boxes)
        own = table[np.minimum(classes, len(categories))]
        for category in np.unique(told):
            values, counts = np.unique(own[told == category], return_counts=True)
            truth.append(int(category))
            predicted.append(int(values[counts.argmax()]))
    return Votes(np.array(truth, np.int64), np.array(predicted, np.int64))
