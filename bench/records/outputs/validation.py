"""Checks of a Run's outputs and true values. A hostile file may violate them, and all other code relies on them."""

from collections.abc import Iterator
from typing import Any

import msgspec

from edge_bench.bench.io.record_codec import PackedArray
from edge_bench.bench.records.outputs.boxes import BoxTruth, Detections, check_box_truth, check_detections
from edge_bench.bench.records.outputs.decoding import BoxDecoding, Decoding
from edge_bench.bench.records.outputs.masks import Segmentation, check_segmentation
from edge_bench.bench.records.outputs.scores import (
    FlagTruth,
    ScoreTable,
    ValueTruth,
    check_flag_truth,
    check_score_table,
    check_value_truth,
)
from edge_bench.bench.records.outputs.tensors import check_output
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth, TensorOutputs

__all__ = ["check_decoding", "check_outputs", "check_truth", "packed_arrays"]

#: Outputs and true values of each task. Others are refused when a command uses them, not when a file is read.
_KINDS: dict[str, tuple[type | None, type | None]] = {
    "classify": (None, None),
    "tensor": (TensorOutputs, None),
    "regress": (ScoreTable, ValueTruth),
    "binary": (ScoreTable, FlagTruth),
    "multilabel": (ScoreTable, FlagTruth),
    "detect": (Detections, BoxTruth),
    "segment": (Segmentation, None),
}


def check_outputs(outputs: TaskOutputs, task: str, examples: int, truth: TaskTruth | None) -> None:
    """Raise ValueError if outputs are not of the task, or inconsistent with that number of examples."""
    _check_kind(outputs, task, 0)
    match outputs:
        case TensorOutputs():
            for output in outputs.outputs:
                check_output(output, examples)
        case ScoreTable():
            check_score_table(outputs, examples)
        case Segmentation():
            check_segmentation(outputs, examples)
        case Detections():
            check_detections(outputs, examples, len(truth.categories) if isinstance(truth, BoxTruth) else None)


def check_truth(truth: TaskTruth, task: str, examples: int) -> None:
    """Raise ValueError if true values are not of the task, or inconsistent with that number of examples."""
    _check_kind(truth, task, 1)
    match truth:
        case BoxTruth():
            check_box_truth(truth, examples)
        case FlagTruth():
            check_flag_truth(truth, examples)
        case ValueTruth():
            check_value_truth(truth, examples)


def check_decoding(decoding: Decoding) -> None:
    """Raise ValueError if a decoding contains data that a Run does not store there."""
    if isinstance(decoding, BoxDecoding) and decoding.sizes is not None:
        raise ValueError("sizes of images, which belong to the outputs")


def _check_kind(record: TaskOutputs | TaskTruth, task: str, number: int) -> None:
    if task in _KINDS:
        expected = _KINDS[task][number]
        if expected is None or not isinstance(record, expected):
            raise ValueError(f"{type(record).__name__} do not belong to the task {task!r}")


def packed_arrays(record: Any) -> Iterator[PackedArray]:
    """Yield all packed arrays inside a record of outputs or true values."""
    if isinstance(record, PackedArray):
        yield record
    elif isinstance(record, msgspec.Struct):
        for name in record.__struct_fields__:
            yield from packed_arrays(getattr(record, name))
    elif isinstance(record, list):
        for each in record:
            yield from packed_arrays(each)
