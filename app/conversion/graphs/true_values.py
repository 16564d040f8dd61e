"""True values of one output of a graph, and the decoding of that output."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.value_labels import read_values
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.inputs.specs import names_shown
from edge_bench.bench.io.record_codec import MAX_PACKED, pack
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.decoding import Decoding, ScoreDecoding, TensorDecoding
from edge_bench.bench.records.outputs.scores import MAX_COLUMNS, FlagTruth, ValueTruth
from edge_bench.bench.records.outputs.tensors import pack_values
from edge_bench.bench.records.outputs.union import TaskTruth
from edge_bench.bench.runtimes.scores import DEFAULT_THRESHOLD
from edge_bench.bench.tasks.scores.rows import flags
from edge_bench.bench.wording import counted

__all__ = ["EXPORTED_TASKS", "TENSOR", "decoding_of", "true_values"]

#: The task of models whose outputs have no stated meaning.
TENSOR = "tensor"
#: Tasks of a bundle with any inputs.
EXPORTED_TASKS = (TENSOR, "regress", "binary", "multilabel")


def decoding_of(task: str, outputs: Sequence[TensorSpec], stated: str | None) -> Decoding:
    """Return the decoding of the outputs of a task.

    Raise BadInput if ``stated`` does not name one of several outputs, or if its number of values does not fit the task.
    """
    names = [each.name for each in outputs]
    if stated is not None and stated not in names:
        raise BadInput(f"--output {stated[:80]}: no output has this name", f"outputs: {names_shown(names)}")
    if task == TENSOR:
        if stated is not None:
            raise BadInput("--output: --task tensor uses all outputs", "omit it")
        return TensorDecoding()
    if stated is None and len(names) > 1:
        raise BadInput(
            f"the model has {counted(len(names), 'output')}: it is unknown which one has the values of --task {task}",
            f"choose it with --output: {names_shown(names)}",
        )
    index = 0 if stated is None else names.index(stated)
    columns = _columns(outputs[index])
    if task != "regress" and columns is not None and (columns == 1) != (task == "binary"):
        raise BadInput(
            f"output {names[index][:80]} has {columns} values per example, which does not fit --task {task}",
            f"use --task {'binary' if columns == 1 else 'multilabel'}",
        )
    return ScoreDecoding(output=index)


def true_values(
    task: str, output: TensorSpec, labels: Path, rows: npt.NDArray[np.int64], examples: int, threshold: float | None
) -> TaskTruth:
    """Return the true values of the given ``rows``, read by `read_values`.

    Raise DatasetError if rows are missing, if their number of values differs from the output, or if a value is not
    valid for the task.
    """
    values = read_values(labels, examples, output=output.name).values[rows]
    columns = values.shape[1]
    if columns != (_columns(output) or columns) or columns > MAX_COLUMNS or values.size > MAX_PACKED:
        raise DatasetError(
            f"{labels}: {columns:,} values per example, but output {output.name[:80]} has {_columns(output) or 'any'}",
            f"use as many values as the output has, and at most {MAX_PACKED:,} in total",
        )
    if task == "regress":
        return ValueTruth(columns=columns, values=pack_values(values.reshape(-1)))
    found = flags(values, str(labels)).reshape(-1).astype(np.uint8)
    limit = DEFAULT_THRESHOLD if threshold is None else threshold
    return FlagTruth(columns=columns, flags=pack(found), threshold=limit)


def _columns(output: TensorSpec) -> int | None:
    """Return the number of values of an output per example; None if unknown."""
    has_batch_axis = len(output.shape) != 1 or output.shape[0] in (-1, 1)
    sizes = output.shape[1:] if has_batch_axis else output.shape
    return None if any(size < 0 for size in sizes) else int(np.prod(sizes, dtype=np.int64))
