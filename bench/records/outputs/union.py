"""Outputs of a configuration and true values of a Run, for every task except classify."""

from typing import Annotated

import msgspec

from edge_bench.bench.io.record_codec import Length
from edge_bench.bench.records.outputs.boxes import BoxTruth, Detections
from edge_bench.bench.records.outputs.masks import Segmentation
from edge_bench.bench.records.outputs.scores import FlagTruth, ScoreTable, ValueTruth
from edge_bench.bench.records.outputs.tensors import OutputRecord

__all__ = ["TaskOutputs", "TaskTruth", "TensorOutputs"]


class TensorOutputs(msgspec.Struct, frozen=True, kw_only=True, tag="tensor"):
    """All outputs of a configuration, as numbers."""

    outputs: Annotated[list[OutputRecord], Length]


TaskOutputs = TensorOutputs | ScoreTable | Segmentation | Detections
#: True masks are not stored. ``Segmentation.cells`` has the data for their quality.
TaskTruth = BoxTruth | FlagTruth | ValueTruth
