"""How a model with any inputs gets the examples, and true values of every task except classify."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import pack, unpack
from edge_bench.bench.records.outputs.boxes import BoxTruth
from edge_bench.bench.records.outputs.decoding import BoxDecoding, Decoding, TensorDecoding
from edge_bench.bench.records.outputs.scores import FlagTruth, ValueTruth
from edge_bench.bench.records.outputs.union import TaskTruth
from edge_bench.bench.tasks.detection.truth import packed_truth, unpacked_truth
from edge_bench.bench.tasks.scores.tables import packed_flags, packed_values, unpacked_flags, unpacked_values
from edge_bench.bench.tasks.segmentation.true_masks import TrueMasks
from edge_bench.bench.worker.graphs.messages import GraphInput

__all__ = ["GraphExamples", "selected_masks", "selected_truth"]

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class GraphExamples:
    """How one model gets the examples, and how its outputs are read.

    inputs: the file of each input, [rows, …], and how its pixels or real values are converted for the input
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
    match truth:
        case BoxTruth():
            boxes = unpacked_truth(truth)
            images = tuple(boxes.images[each] for each in positions.tolist())
            return packed_truth(replace(boxes, images=images, sizes=boxes.sizes[positions]))
        case FlagTruth():
            return packed_flags(unpacked_flags(truth)[positions], truth.classes, truth.threshold)
        case ValueTruth():
            return packed_values(unpacked_values(truth)[positions])
    return None
