"""How a model with any inputs gets the examples, and true values of every task but classification."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import pack, unpack
from edge_bench.bench.records.outputs.boxes import BoxTruth
from edge_bench.bench.records.outputs.decoding import BoxDecoding, Decoding, TensorDecoding
from edge_bench.bench.records.outputs.scores import FlagTruth
from edge_bench.bench.records.outputs.tensors import pack_values, unpack_values
from edge_bench.bench.records.outputs.union import TaskTruth
from edge_bench.bench.tasks.segmentation.true_masks import TrueMasks
from edge_bench.bench.worker.graphs.messages import GraphInput

__all__ = ["GraphExamples", "selected_masks", "selected_truth"]

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class GraphExamples:
    """How one model gets the examples, and how its outputs are read.

    inputs: the file of each input, [rows, …], and how pixels or real values in it become the input's own
    rows: each example's row in these files, int64 [examples]
    shapes: of whole inputs with open axes, by name, the first axis included
    categories: of a detector with true boxes, the index of the category of each class, -1 for none
    """

    inputs: tuple[GraphInput, ...]
    rows: Positions
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    signature: str = ""
    decoding: Decoding = field(default_factory=TensorDecoding)
    categories: tuple[int, ...] | None = None

    def selected(self, positions: Positions) -> "GraphExamples":
        """Return the examples at these positions."""
        decoding = self.decoding
        if isinstance(decoding, BoxDecoding) and decoding.sizes is not None:
            sizes = unpack(decoding.sizes).reshape(-1, 2)[positions]
            decoding = msgspec.structs.replace(decoding, sizes=pack(sizes.reshape(-1)))
        return replace(self, rows=self.rows[positions], decoding=decoding)


def selected_masks(masks: TrueMasks | None, positions: Positions) -> TrueMasks | None:
    """Return the true masks of the examples at these positions."""
    return None if masks is None else replace(masks, files=tuple(masks.files[each] for each in positions.tolist()))


def selected_truth(truth: TaskTruth | None, positions: Positions) -> TaskTruth | None:
    """Return the true values of the examples at these positions."""
    if truth is None:
        return None
    if isinstance(truth, BoxTruth):
        return _selected_boxes(truth, positions)
    if isinstance(truth, FlagTruth):
        flags = unpack(truth.flags).reshape(-1, truth.columns)[positions]
        return msgspec.structs.replace(truth, flags=pack(flags.reshape(-1)))
    values = unpack_values(truth.values).reshape(-1, truth.columns)[positions]
    return msgspec.structs.replace(truth, values=pack_values(values.reshape(-1)))


def _selected_boxes(truth: BoxTruth, positions: Positions) -> BoxTruth:
    counts = unpack(truth.counts).astype(np.int64)
    starts = np.cumsum(counts) - counts
    parts = [np.arange(starts[each], starts[each] + counts[each]) for each in positions.tolist()]
    boxes = np.concatenate([np.zeros(0, np.int64), *parts])
    corners = unpack_values(truth.corners).reshape(-1, 4)[boxes]
    return msgspec.structs.replace(
        truth,
        sizes=pack(unpack(truth.sizes).reshape(-1, 2)[positions].reshape(-1)),
        counts=pack(counts[positions]),
        corners=pack_values(corners.reshape(-1)),
        box_categories=pack(unpack(truth.box_categories)[boxes]),
        crowd=pack(unpack(truth.crowd)[boxes]),
    )
