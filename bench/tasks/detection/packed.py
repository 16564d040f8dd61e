"""Boxes of all images as stored in a Run: 18 to 24 bytes per box, at most MOST_BOXES per image."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import pack, unpack
from edge_bench.bench.records.outputs.boxes import COORDINATE_STEPS, MOST_BOXES, PackedBoxes, check_boxes
from edge_bench.bench.tasks.detection.boxes import Boxes

__all__ = ["pack_boxes", "unpack_boxes"]

#: Coordinates are stored from -1 to 2 sides of the image, as 24 bits. In an image of 640 pixels the error is at most
#: 0.00006 pixels. With 16 bits (0.015 pixels), overlaps near COCO's thresholds change sides so often that the mean
#: average precision of 60 images changes by up to 0.06 points. A box that extends further is cut there. It is then
#: still wider than the image, so that its intersection over union with a true box stays at or below 0.5.
_LOWEST, _SIDES = -1.0, 3.0


def pack_boxes(images: Sequence[Boxes], sizes: npt.NDArray[np.int64]) -> PackedBoxes:
    """Pack the boxes of images with these widths and heights, shape [images, 2].

    Raise ValueError for numbers that are not finite, negative classes, or more than MOST_BOXES boxes of an image.
    """
    counts = np.array([len(each.scores) for each in images], np.int64)
    if len(counts) != len(sizes):
        raise ValueError("boxes and sizes are of different images")
    if counts.size and counts.max() > MOST_BOXES:
        raise ValueError(f"an image has {counts.max()} boxes, but at most {MOST_BOXES} are stored")
    corners = _joined([each.corners for each in images], (0, 4), np.float64)
    scores = _joined([each.scores for each in images], (0,), np.float32)
    if not (np.isfinite(corners).all() and np.isfinite(scores).all()):
        raise ValueError("a box is not finite")
    shares = corners / _sides(sizes, counts)
    steps = np.rint((shares - _LOWEST) / _SIDES * COORDINATE_STEPS).clip(0, COORDINATE_STEPS).astype(np.uint32)
    columns = [pack(np.ascontiguousarray(steps[:, column])) for column in range(4)]
    return PackedBoxes(
        counts=pack(counts),
        classes=pack(_joined([each.classes for each in images], (0,), np.int64)),
        scores=pack(scores.view(np.uint32)),
        left=columns[0],
        top=columns[1],
        right=columns[2],
        bottom=columns[3],
    )


def unpack_boxes(packed: PackedBoxes, sizes: npt.NDArray[np.int64]) -> list[Boxes]:
    """Return the boxes of each image; raise ValueError if the arrays and the sizes [images, 2] do not match."""
    check_boxes(packed, len(sizes))
    counts = unpack(packed.counts).astype(np.int64)
    columns = [unpack(each) for each in (packed.left, packed.top, packed.right, packed.bottom)]
    classes, scores = unpack(packed.classes).astype(np.int64), unpack(packed.scores).astype(np.uint32).view(np.float32)
    shares = np.stack(columns, axis=1).astype(np.float64) / COORDINATE_STEPS * _SIDES + _LOWEST
    corners = (shares * _sides(sizes, counts)).astype(np.float32)
    ends = np.cumsum(counts)[:-1]
    parts = (np.split(each, ends) for each in (corners, classes, scores))
    return [Boxes(*each) for each in zip(*parts, strict=True)] if len(counts) else []


def _sides(sizes: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return width, height, width and height of the image of each box, shape [boxes, 4]."""
    return np.repeat(np.tile(sizes, 2).astype(np.float64), counts, axis=0)


def _joined(parts: Sequence[npt.NDArray[Any]], empty: tuple[int, ...], dtype: type) -> npt.NDArray[Any]:
    return np.concatenate(parts).astype(dtype, copy=False) if parts else np.zeros(empty, dtype)
