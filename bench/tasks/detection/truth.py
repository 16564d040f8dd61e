"""True boxes as stored in a Run."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import pack, unpack
from edge_bench.bench.records.outputs.boxes import BoxTruth, CategoryRecord, Detections
from edge_bench.bench.records.outputs.tensors import pack_values, unpack_values
from edge_bench.bench.tasks.detection.boxes import Boxes, Category, GroundTruth, TrueBoxes
from edge_bench.bench.tasks.detection.packed import unpack_boxes

__all__ = ["packed_truth", "unpacked_detections", "unpacked_truth"]


def packed_truth(truth: GroundTruth) -> BoxTruth:
    """Return true boxes as a record. Corners keep all their digits, and notes are left out."""
    counts = np.array([len(each.categories) for each in truth.images], np.int64)
    corners = _joined([each.corners for each in truth.images], (0, 4), np.float64)
    return BoxTruth(
        categories=[CategoryRecord(each.id, each.name) for each in truth.categories],
        sizes=pack(truth.sizes.reshape(-1).astype(np.int64)),
        counts=pack(counts),
        corners=pack_values(np.ascontiguousarray(corners.reshape(-1))),
        box_categories=pack(_joined([each.categories for each in truth.images], (0,), np.int64)),
        crowd=pack(_joined([each.crowd for each in truth.images], (0,), np.bool_).astype(np.uint8)),
    )


def unpacked_truth(record: BoxTruth) -> GroundTruth:
    """Return the true boxes of a record that `check_box_truth` accepts."""
    counts = unpack(record.counts).astype(np.int64)
    ends = np.cumsum(counts)[:-1]
    columns = (
        unpack_values(record.corners).astype(np.float64).reshape(-1, 4),
        unpack(record.box_categories).astype(np.int64),
        unpack(record.crowd).astype(np.bool_),
    )
    images = zip(*(np.split(column, ends) for column in columns), strict=True) if len(counts) else ()
    return GroundTruth(
        categories=tuple(Category(each.id, each.name) for each in record.categories),
        images=tuple(TrueBoxes(*each) for each in images),
        sizes=unpack(record.sizes).astype(np.int64).reshape(-1, 2),
    )


def unpacked_detections(record: Detections) -> list[Boxes]:
    """Return the boxes of each image, in pixels; raise ValueError if they are damaged."""
    return unpack_boxes(record.boxes, unpack(record.sizes).astype(np.int64).reshape(-1, 2))


def _joined(parts: list[npt.NDArray[Any]], empty: tuple[int, ...], dtype: type) -> npt.NDArray[Any]:
    return np.concatenate(parts).astype(dtype, copy=False) if parts else np.zeros(empty, dtype)
