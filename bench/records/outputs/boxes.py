"""Predicted and true boxes of images, as stored in a Run."""

import itertools
from typing import Annotated

import msgspec
import numpy as np

from edge_bench.bench.io.record_codec import BoundedStr, NonNegativeInt, PackedArray, unpack
from edge_bench.bench.records.outputs.tensors import PackedValues, unpack_values

__all__ = [
    "COORDINATE_STEPS",
    "MOST_BOXES",
    "BoxTruth",
    "CategoryRecord",
    "Detections",
    "PackedBoxes",
    "check_box_truth",
    "check_boxes",
    "check_detections",
]

#: Maximum number of boxes per image, those with the highest scores. Ultralytics keeps as many (``max_det``), and COCO
#: scores at most 100 of each category in an image.
MOST_BOXES = 300
#: The greatest value of a stored coordinate.
COORDINATE_STEPS = (1 << 24) - 1
#: Width and height of an image in pixels.
_MOST_PIXELS = 1 << 31
#: Class numbers of a detector. Each may represent a category of the ground truth.
_ClassTable = Annotated[list[Annotated[int, msgspec.Meta(ge=-1, lt=1 << 16)]], msgspec.Meta(max_length=1 << 16)]


class PackedBoxes(msgspec.Struct, frozen=True, kw_only=True):
    """The boxes of all images, one after another. Coordinates are fractions of the image's side."""

    counts: PackedArray  # boxes of each image
    classes: PackedArray
    scores: PackedArray  # the bits of float32 numbers, so that order and ties of scores do not change
    left: PackedArray
    top: PackedArray
    right: PackedArray
    bottom: PackedArray


class Detections(msgspec.Struct, frozen=True, kw_only=True, tag="detect"):
    """The boxes predicted by one configuration, in the order of its images."""

    boxes: PackedBoxes
    sizes: PackedArray  # width and height of each image in pixels, [2 × images]
    categories: _ClassTable | None = None  # index of the category of each class, -1 for none; None: no true boxes
    not_finite: NonNegativeInt = 0  # boxes that were left out because a number is not finite
    beyond_limit: NonNegativeInt = 0  # boxes that were left out because enough others have higher scores


class CategoryRecord(msgspec.Struct, frozen=True):
    """A category of objects."""

    id: int
    name: BoundedStr


class BoxTruth(msgspec.Struct, frozen=True, kw_only=True, tag="detect"):
    """The true boxes of the images, one after another, in the order of the images."""

    categories: Annotated[list[CategoryRecord], msgspec.Meta(max_length=1 << 16)]
    sizes: PackedArray  # width and height of each image in pixels, [2 × images]
    counts: PackedArray  # boxes of each image
    corners: PackedValues  # float64, x0, y0, x1, y1 of each box in pixels, [4 × boxes]
    box_categories: PackedArray  # index of the category of each box
    crowd: PackedArray  # 1 for a box around a group


def check_boxes(boxes: PackedBoxes, images: int) -> None:
    """Raise ValueError if packed boxes are not of that number of images, or do not fit each other."""
    counts = unpack(boxes.counts)
    if len(counts) != images or counts.max(initial=0) > MOST_BOXES:
        raise ValueError("packed boxes are damaged: the numbers of boxes do not match the images")
    total = int(counts.sum(dtype=np.int64))
    columns = (boxes.left, boxes.top, boxes.right, boxes.bottom)
    if {each.length for each in (*columns, boxes.classes, boxes.scores)} != {total} or any(
        int(unpack(each).max(initial=0)) > COORDINATE_STEPS for each in columns
    ):
        raise ValueError("packed boxes are damaged: their arrays do not match each other")
    bits, classes = unpack(boxes.scores), unpack(boxes.classes)
    if bits.itemsize > 4 or not np.isfinite(bits.astype(np.uint32).view(np.float32)).all():
        raise ValueError("packed boxes are damaged: a score is not finite")
    if int(classes.max(initial=0)) >= 1 << 31:
        raise ValueError("packed boxes are damaged: a class of more than 31 bits")


def check_detections(record: Detections, images: int, categories: int | None = None) -> None:
    """Raise ValueError if a record of that number of images, and of true categories, is not consistent."""
    _check_sizes(record.sizes, images)
    check_boxes(record.boxes, images)
    greatest = max(record.categories or [-1])
    if categories is not None and greatest >= categories:
        raise ValueError(f"a class stands for category {greatest:,}, but there are {categories:,}")


def check_box_truth(record: BoxTruth, images: int) -> None:
    """Raise ValueError if true boxes are not of that number of images, or do not fit each other."""
    _check_sizes(record.sizes, images)
    ids = [category.id for category in record.categories]
    if any(following <= before for before, following in itertools.pairwise(ids)):
        raise ValueError("the ids of its categories are not in ascending order")
    counts = unpack(record.counts)
    total = int(counts.sum(dtype=np.uint64)) if len(counts) == images else -1
    if record.corners.dtype != "float64" or record.corners.bits.length != 4 * total:
        raise ValueError(f"{record.corners.bits.length:,} corners for {total:,} true boxes")
    if not np.isfinite(unpack_values(record.corners)).all():
        raise ValueError("a true box is not finite")
    for name, packed, below in (
        ("box_categories", record.box_categories, len(ids)),
        ("crowd", record.crowd, 2),
    ):
        if packed.length != total or (total and int(unpack(packed).max()) >= below):
            raise ValueError(f"{name} does not match the {total:,} true boxes")


def _check_sizes(sizes: PackedArray, images: int) -> None:
    values = unpack(sizes)
    if len(values) != 2 * images or (images and not 0 < int(values.min()) <= int(values.max()) < _MOST_PIXELS):
        raise ValueError(f"{len(values):,} widths and heights for {images:,} images")
