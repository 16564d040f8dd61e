"""Real-valued outputs of a model with a few numbers per example, and true values, as they are in a Run."""

from typing import Annotated

import msgspec

from edge_bench.bench.io.record_codec import BoundedNames, PackedArray
from edge_bench.bench.records.outputs.tensors import PackedValues

__all__ = ["MAX_COLUMNS", "FlagTruth", "ScoreTable", "ValueTruth"]

#: Numbers of an example.
MAX_COLUMNS = 65_536
_Columns = Annotated[int, msgspec.Meta(ge=1, le=MAX_COLUMNS)]


class ScoreTable(msgspec.Struct, frozen=True, kw_only=True, tag="scores"):
    """The real values of one output, in the order of the examples."""

    columns: _Columns
    values: PackedValues  # float32 or float64, [examples × columns]


class ValueTruth(msgspec.Struct, frozen=True, kw_only=True, tag="values"):
    """The true values of a regression, in the order of the examples."""

    columns: _Columns
    values: PackedValues  # float64, [examples × columns]


class FlagTruth(msgspec.Struct, frozen=True, kw_only=True, tag="flags"):
    """Which classes each example has: one column for two classes, or one per class of a multi-label model."""

    columns: _Columns
    flags: PackedArray  # 0 or 1, [examples × columns]
    classes: BoundedNames = []
    threshold: float = 0.5  # a score above it means 1
