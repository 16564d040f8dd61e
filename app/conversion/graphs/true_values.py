"""True values of one output of a graph, and how that output is read."""

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

__all__ = ["EXPORTED_TASKS", "TENSOR", "decoding_of", "true_values"]

#: The task of a model whose outputs have no stated meaning.
TENSOR = "tensor"
#: Tasks of a bundle with any inputs.
EXPORTED_TASKS = (TENSOR, "regress", "binary", "multilabel")


def decoding_of(task: str, outputs: Sequence[TensorSpec], stated: str | None) -> Decoding:
    """Return how the outputs of a task are read.

    Raise BadInput if it is not stated which of several outputs has the values, or if the stated one is not there or has
    another number of values than the task.
    """
    names = [each.name for each in outputs]
    if stated is not None and stated not in names:
        raise BadInput(f"--output {stated[:80]}: no output has this name", f"the outputs are {names_shown(names)}")
    if task == TENSOR:
        if stated is not None:
            raise BadInput("--output: with --task tensor every output counts", "leave it out")
        return TensorDecoding()
    if stated is None and len(names) > 1:
        raise BadInput(
            f"the model has {len(names)} outputs, and which one has the values of --task {task} is not known",
            f"state it with --output: {names_shown(names)}",
        )
    index = 0 if stated is None else names.index(stated)
    columns = _columns(outputs[index])
    if task != "regress" and columns is not None and (columns == 1) != (task == "binary"):
        raise BadInput(
            f"output {names[index][:80]} has {columns} values per example, which is not --task {task}",
            f"--task {'binary' if columns == 1 else 'multilabel'}",
        )
    return ScoreDecoding(output=index)


def true_values(
    task: str, output: TensorSpec, labels: Path, rows: npt.NDArray[np.int64], examples: int, threshold: float | None
) -> TaskTruth:
    """Return the true values of some of the examples, read as `read_values` does.

    Raise DatasetError if there is no row for each example, if a row has other values than the output, or if a value is
    not one of the task.
    """
    values = read_values(labels, examples, output=output.name).values[rows]
    columns = values.shape[1]
    if columns != (_columns(output) or columns) or columns > MAX_COLUMNS or values.size > MAX_PACKED:
        raise DatasetError(
            f"{labels}: {columns:,} values per example; output {output.name[:80]} has {_columns(output) or 'any'}",
            f"give as many as the output has, and at most {MAX_PACKED:,} in all",
        )
    if task == "regress":
        return ValueTruth(columns=columns, values=pack_values(values.reshape(-1)))
    found = flags(values, str(labels)).reshape(-1).astype(np.uint8)
    limit = DEFAULT_THRESHOLD if threshold is None else threshold
    return FlagTruth(columns=columns, flags=pack(found), threshold=limit)


def _columns(output: TensorSpec) -> int | None:
    """Return the number of values of an output for one example; None if it is not known."""
    has_batch_axis = len(output.shape) != 1 or output.shape[0] in (-1, 1)
    sizes = output.shape[1:] if has_batch_axis else output.shape
    return None if any(size < 0 for size in sizes) else int(np.prod(sizes, dtype=np.int64))
