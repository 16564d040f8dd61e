"""Values of examples and their true values as stored in a Run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import pack, unpack
from edge_bench.bench.records.outputs.scores import FlagTruth, ScoreTable, ValueTruth
from edge_bench.bench.records.outputs.tensors import pack_values, unpack_values
from edge_bench.bench.tasks.scores.rows import flags, table

__all__ = ["packed_flags", "packed_scores", "packed_values", "unpacked_flags", "unpacked_values"]

Values = npt.NDArray[np.float64]


def packed_scores(values: npt.NDArray[np.floating[Any]]) -> ScoreTable:
    """Return the real values of an output as a record; shape [examples, …], float32 or float64."""
    rows = values.reshape(len(values), -1)
    return ScoreTable(columns=rows.shape[1], values=pack_values(np.ascontiguousarray(rows.reshape(-1))))


def packed_values(truth: npt.ArrayLike) -> ValueTruth:
    """Return true values of a regression, shape [examples, …], as a record; raise DatasetError if not numbers."""
    rows = table(truth, "true values")
    return ValueTruth(columns=rows.shape[1], values=pack_values(rows.reshape(-1)))


def packed_flags(truth: npt.ArrayLike, classes: Sequence[str] = (), threshold: float = 0.5) -> FlagTruth:
    """Return true labels 0 and 1 as a record, shape [examples, …]; raise DatasetError for other values."""
    rows = flags(truth, "true labels")
    return FlagTruth(
        columns=rows.shape[1],
        flags=pack(rows.reshape(-1).astype(np.uint8)),
        classes=list(classes),
        threshold=threshold,
    )


def unpacked_values(record: ScoreTable | ValueTruth) -> Values:
    """Return the values of a record that its check accepts, shape [examples, columns]."""
    values: Values = unpack_values(record.values).astype(np.float64).reshape(-1, record.columns)
    return values


def unpacked_flags(record: FlagTruth) -> npt.NDArray[np.bool_]:
    """Return the labels of a record that its check accepts, shape [examples, columns]."""
    found: npt.NDArray[np.bool_] = unpack(record.flags).astype(np.bool_).reshape(-1, record.columns)
    return found
