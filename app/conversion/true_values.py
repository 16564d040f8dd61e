"""True values of one output of a graph, and how that output is read."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.arrays import extracted_array
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.inputs.specs import names_shown, shown_shape
from edge_bench.bench.io.archives import ARCHIVE_ERRORS
from edge_bench.bench.io.files import open_regular_file, why_unreadable
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.io.record_codec import MAX_PACKED, pack
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.decoding import Decoding, ScoreDecoding, TensorDecoding
from edge_bench.bench.records.outputs.scores import MAX_COLUMNS, FlagTruth, ValueTruth
from edge_bench.bench.records.outputs.tensors import pack_values
from edge_bench.bench.records.outputs.union import TaskTruth
from edge_bench.bench.runtimes.scores import DEFAULT_THRESHOLD
from edge_bench.bench.tasks.scores.rows import flags, table

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
        raise BadInput(f"--output-name {stated[:80]}: no output has this name", f"the outputs are {names_shown(names)}")
    if task == TENSOR:
        if stated is not None:
            raise BadInput("--output-name: with --task tensor every output counts", "leave it out")
        return TensorDecoding()
    if stated is None and len(names) > 1:
        raise BadInput(
            f"the model has {len(names)} outputs, and which one has the values of --task {task} is not known",
            f"state it with --output-name: {names_shown(names)}",
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
    """Return the true values of some of the examples, from a .npy, or an .npz with an array named as the output.

    Raise DatasetError if there is no row for each example, if a row has other values than the output, or if a value is
    not one of the task.
    """
    array = _array(labels, output.name)
    if array.ndim < 1 or len(array) != examples:
        raise DatasetError(
            f"{labels}: shape {shown_shape(array.shape)} for {examples:,} examples", "give one row for each example"
        )
    values = table(array[rows], str(labels))
    columns = values.shape[1]
    if columns != (_columns(output) or columns) or columns > MAX_COLUMNS or values.size > MAX_PACKED:
        raise DatasetError(
            f"{labels}: {columns:,} values per example; output {output.name[:80]} has {_columns(output) or 'any'}",
            f"give as many as the output has, and at most {MAX_PACKED:,} in all",
        )
    if task == "regress":
        return ValueTruth(columns=columns, values=pack_values(_finite(values, rows, labels).reshape(-1)))
    found = flags(values, str(labels)).reshape(-1).astype(np.uint8)
    limit = DEFAULT_THRESHOLD if threshold is None else threshold
    return FlagTruth(columns=columns, flags=pack(found), threshold=limit)


def _finite(values: npt.NDArray[np.float64], rows: npt.NDArray[np.int64], labels: Path) -> npt.NDArray[np.float64]:
    wrong = ~np.isfinite(values).all(axis=1)
    if wrong.any():
        raise DatasetError(
            f"{labels}: the true value of example {int(rows[int(wrong.argmax())]):,} is not finite",
            "remove examples whose value is unknown",
        )
    return values


def _columns(output: TensorSpec) -> int | None:
    """Return the number of values of an output for one example; None if it is not known."""
    has_batch_axis = len(output.shape) != 1 or output.shape[0] in (-1, 1)
    sizes = output.shape[1:] if has_batch_axis else output.shape
    return None if any(size < 0 for size in sizes) else int(np.prod(sizes, dtype=np.int64))


def _array(path: Path, name: str) -> npt.NDArray[Any]:
    """Return a .npy, or the array of this name, or the only one, of an .npz; memory-mapped."""
    try:
        if path.suffix != ".npz":
            return open_npy(path)
        with open_regular_file(path) as file, zipfile.ZipFile(file) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            found = members.get(name) or (next(iter(members.values())) if len(members) == 1 else None)
            if found is None:
                raise DatasetError(
                    f"{path}: no array for output {name[:80]}; it has {names_shown(members)}",
                    "save it with numpy.savez, by the output's name",
                )
            return open_npy(extracted_array(archive, found, path))
    except FileNotFoundError:
        raise DatasetError(f"{path}: there is no such file") from None
    except (OSError, *ARCHIVE_ERRORS) as cause:
        raise DatasetError(
            f"{path}: not an array of numbers: {why_unreadable(cause)}", "save it with numpy.save or numpy.savez"
        ) from None
