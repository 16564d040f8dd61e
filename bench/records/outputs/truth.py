"""True values as a file of a bundle, and their checks."""

import msgspec
import numpy as np

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.outputs.boxes import BoxTruth
from edge_bench.bench.records.outputs.scores import FlagTruth
from edge_bench.bench.records.outputs.tensors import unpack_values
from edge_bench.bench.records.outputs.union import TaskTruth

__all__ = ["check_truth", "decode_truth", "encode_truth"]


def encode_truth(truth: TaskTruth) -> bytes:
    """Return true values as JSON."""
    return msgspec.json.encode(truth) + b"\n"


def decode_truth(content: bytes) -> TaskTruth:
    """Return the true values; raise ValueError if they are none."""
    truth: TaskTruth = msgspec.json.decode(content, type=TaskTruth)
    return truth


def check_truth(truth: TaskTruth, examples: int) -> None:
    """Raise ValueError if the true values are not those of so many examples, or not consistent."""
    if isinstance(truth, BoxTruth):
        if truth.counts.length != examples or truth.sizes.length != 2 * examples:
            raise ValueError(f"boxes of {truth.counts.length:,} images where {examples:,} belong")
        boxes = int(unpack(truth.counts).sum(dtype=np.uint64))
        if truth.corners.bits.length != 4 * boxes or {truth.box_categories.length, truth.crowd.length} != {boxes}:
            raise ValueError(f"{truth.box_categories.length:,} boxes where {boxes:,} belong")
        return
    packed = truth.flags if isinstance(truth, FlagTruth) else truth.values.bits
    if packed.length != examples * truth.columns:
        raise ValueError(f"{packed.length:,} values where {examples * truth.columns:,} belong")
    if isinstance(truth, FlagTruth):
        if packed.length and int(unpack(packed).max()) > 1:
            raise ValueError("a flag that is neither 0 nor 1")
    elif not np.isfinite(unpack_values(truth.values).astype(np.float64)).all():
        raise ValueError("a value that is not finite")
