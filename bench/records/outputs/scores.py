"""Real-valued outputs of a model with a few numbers per example, and true values, as stored in a Run."""

from typing import Annotated

import msgspec
import numpy as np

from edge_bench.bench.io.record_codec import BoundedNames, PackedArray, unpack
from edge_bench.bench.records.outputs.tensors import PackedValues, unpack_values

__all__ = [
    "MAX_COLUMNS",
    "FlagTruth",
    "ScoreTable",
    "ValueTruth",
    "check_flag_truth",
    "check_score_table",
    "check_value_truth",
]

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


def check_score_table(record: ScoreTable, examples: int) -> None:
    """Raise ValueError if the values are not those of that number of examples."""
    _check_values(record, examples, ("float32", "float64"))


def check_value_truth(record: ValueTruth, examples: int) -> None:
    """Raise ValueError if the true values are not those of that number of examples, or one is not finite."""
    _check_values(record, examples, ("float64",))
    if not np.isfinite(unpack_values(record.values)).all():
        raise ValueError("a true value is not finite")


def check_flag_truth(record: FlagTruth, examples: int) -> None:
    """Raise ValueError if the labels are not those of that number of examples."""
    flags = unpack(record.flags)
    if len(flags) != examples * record.columns or flags.max(initial=0) > 1:
        raise ValueError(f"{len(flags):,} labels for {examples:,} examples with {record.columns:,} each")


def _check_values(record: ScoreTable | ValueTruth, examples: int, types: tuple[str, ...]) -> None:
    length = record.values.bits.length
    if length != examples * record.columns or record.values.dtype not in types:
        kind = record.values.dtype[:20]
        raise ValueError(f"{length:,} values of {kind!r} for {examples:,} examples with {record.columns:,} each")
    unpack_values(record.values)
