"""Predictions and true values as rows, one per example."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.wording import counted

__all__ = ["flags", "same_examples", "table"]


def table(values: npt.ArrayLike, what: str) -> npt.NDArray[np.float64]:
    """Return numbers of any type as float64 [n, columns]. The first axis is the examples, the others are flattened.

    Raise DatasetError if they are not numbers, or if there are none.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iufb" or array.ndim < 1 or not array.size:
        raise DatasetError(
            f"{what}: {array.dtype} of shape {list(array.shape)}", "provide one row of numbers for each example"
        )
    return array.reshape(len(array), -1).astype(np.float64)


def flags(values: npt.ArrayLike, what: str) -> npt.NDArray[np.bool_]:
    """Return true labels 0 and 1 as bool [n, columns]; raise DatasetError for other values, naming the first."""
    rows = table(values, what)
    wrong = ~((rows == 0) | (rows == 1))
    if wrong.any():
        example, column = (int(index) for index in np.unravel_index(int(wrong.argmax()), rows.shape))
        raise DatasetError(
            f"{what}: {rows[example, column]:g} at example {example:,}, column {column:,}",
            "use labels 0 or 1 for this task; remove examples with unknown labels",
        )
    found: npt.NDArray[np.bool_] = rows == 1
    return found


def same_examples(truth: npt.NDArray[Any], *sides: npt.NDArray[Any]) -> None:
    """Raise DatasetError unless all predictions have the shape of the true values, [n, columns]."""
    for side in sides:
        if side.shape != truth.shape:
            raise DatasetError(
                f"{counted(side.shape[0], 'prediction')} of {counted(side.shape[1], 'value')}, but "
                f"{counted(truth.shape[0], 'true row')} of "
                f"{truth.shape[1]:,}",
                "provide one true row for each example, with one value for each output",
            )
