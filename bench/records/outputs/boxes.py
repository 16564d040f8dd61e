"""Boxes of a detector, and the boxes that are there, as they are in a Run."""

from typing import Annotated

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr, NonNegativeInt, PackedArray
from edge_bench.bench.records.outputs.tensors import PackedValues

__all__ = ["BoxTruth", "CategoryRecord", "Detections", "PackedBoxes"]

#: Class numbers of a detector; each may stand for a category of the ground truth.
_ClassTable = Annotated[list[Annotated[int, msgspec.Meta(ge=-1, lt=1 << 16)]], msgspec.Meta(max_length=1 << 16)]


class PackedBoxes(msgspec.Struct, frozen=True, kw_only=True):
    """The boxes of all images, one after another; coordinates as shares of the image's side."""

    counts: PackedArray  # boxes of each image
    classes: PackedArray
    scores: PackedArray  # the bits of float32 numbers, so that order and ties of scores stay as they are
    left: PackedArray
    top: PackedArray
    right: PackedArray
    bottom: PackedArray


class Detections(msgspec.Struct, frozen=True, kw_only=True, tag="detect"):
    """The boxes that one configuration found, in the order of its images."""

    boxes: PackedBoxes
    sizes: PackedArray  # width and height of each image in pixels, [2 × images]
    categories: _ClassTable | None = None  # index of the category of each class, -1 for none; None: no true boxes
    not_finite: NonNegativeInt = 0  # boxes that were left out because a number is not finite
    beyond_limit: NonNegativeInt = 0  # boxes that were left out because of lower scores than as many as are kept


class CategoryRecord(msgspec.Struct, frozen=True):
    """A category of objects."""

    id: int
    name: BoundedStr


class BoxTruth(msgspec.Struct, frozen=True, kw_only=True, tag="detect"):
    """The boxes that are in the images, one after another, in the order of the images."""

    categories: Annotated[list[CategoryRecord], msgspec.Meta(max_length=1 << 16)]
    sizes: PackedArray  # width and height of each image in pixels, [2 × images]
    counts: PackedArray  # boxes of each image
    corners: PackedValues  # float64, x0, y0, x1, y1 of each box in pixels, [4 × boxes]
    box_categories: PackedArray  # index of the category of each box
    crowd: PackedArray  # 1 for a box around a group
