"""True values as a file of a bundle, and their checks."""

import msgspec
import numpy as np

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.outputs.boxes import BoxTruth
from edge_bench.bench.records.outputs.scores import FlagTruth, ValueTruth
from edge_bench.bench.records.outputs.tensors import PackedValues, unpack_values
from edge_bench.bench.records.outputs.union import TaskTruth

__all__ = ["check_truth", "decode_truth", "encode_truth"]


def encode_truth(truth: TaskTruth) -> bytes:
    """Return true values as JSON."""
    return msgspec.json.encode(truth) + b"\n"


def decode_truth(content: bytes) -> TaskTruth:
    """Return the true values; raise ValueError if they are invalid."""
    truth: TaskTruth = msgspec.json.decode(content, type=TaskTruth)
    return truth


def check_truth(truth: TaskTruth, examples: int) -> None:
    """Raise ValueError if the true values are inconsistent, or of another number of examples."""
    if isinstance(truth, BoxTruth):
        _check_boxes(truth, examples)
        return
    packed = truth.flags if isinstance(truth, FlagTruth) else truth.values.bits
    if packed.length != examples * truth.columns:
        raise ValueError(f"{packed.length:,} values instead of {examples * truth.columns:,}")
    if isinstance(truth, ValueTruth):
        _check_finite(truth.values)
    elif packed.length and int(unpack(packed).max()) > 1:
        raise ValueError("a number is neither 0 nor 1")


def _check_boxes(truth: BoxTruth, images: int) -> None:
    if truth.counts.length != images or truth.sizes.length != 2 * images:
        raise ValueError(f"boxes of {truth.counts.length:,} images instead of {images:,}")
    boxes = int(unpack(truth.counts).sum(dtype=np.uint64))
    if truth.corners.bits.length != 4 * boxes or {truth.box_categories.length, truth.crowd.length} != {boxes}:
        raise ValueError(f"{truth.box_categories.length:,} boxes instead of {boxes:,}")
    _check_finite(truth.corners)
    for packed, below in ((truth.box_categories, len(truth.categories)), (truth.crowd, 2)):
        if packed.length and int(unpack(packed).max()) >= below:
            raise ValueError("an unknown number of a category or crowd")


def _check_finite(values: PackedValues) -> None:
    if not np.isfinite(unpack_values(values).astype(np.float64)).all():
        raise ValueError("a value is not finite")
