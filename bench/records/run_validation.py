"""Checks that the parts of a Run are consistent. A hostile file may not be, and all other code relies on it."""

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import PackedArray, unpack
from edge_bench.bench.records.outputs.validation import check_decoding, check_outputs, check_truth, packed_arrays
from edge_bench.bench.records.run import Result, Run, Trial

__all__ = ["check_run", "check_trial"]

#: Maximum latencies per byte of packed data. Real latencies in nanoseconds differ. A bomb has far more per byte.
_LATENCIES_PER_BYTE = 64
_SMALL_ARRAY = 4096  # latencies allowed in addition, for any size of the data
#: Values of all packed arrays together. Every command unpacks them, and those of a bomb need hardly any space on disk.
_MAX_VALUES = 1 << 27


def check_run(run: Run) -> None:
    """Raise ValueError if the Run is not consistent. Afterwards each of its packed arrays can be unpacked."""
    began = datetime.datetime.fromisoformat(run.began)
    if began.tzinfo is None or not 1970 <= began.year < 9000:
        raise ValueError(f"it began at {run.began[:40]}, which is not a valid time in UTC")
    images = run.images
    count = images.indices.length
    if (values := _values(run)) > _MAX_VALUES:
        raise ValueError(f"its arrays have {values:,} values, more than the limit of {_MAX_VALUES:,}")
    indices = _packed(images.indices, "images.indices", count)
    if not count or (count > 1 and not np.all(indices[1:] > indices[:-1])):
        raise ValueError("its images are not in order, or there are none")
    if images.labels.length:
        _packed(images.labels, "images.labels", count, below=1 << 16)
    if images.checksums is not None:
        _packed(images.checksums, "images.checksums", count, below=1 << 32)
    _check_task(run, count)
    if run.finalists and max(run.finalists) >= len(run.results):
        raise ValueError(f"finalists: {max(run.finalists):,} of {len(run.results):,} configurations")
    for number, result in enumerate(run.results):
        try:
            _check_result(run, result, count)
        except ValueError as cause:
            raise ValueError(f"results[{number}]: {cause}") from None


def _check_task(run: Run, count: int) -> None:
    if run.truth is not None:
        try:
            check_truth(run.truth, run.task, count)
        except ValueError as cause:
            raise ValueError(f"truth: {cause}") from None
    for variant, decoding in run.decodings.items():
        try:
            check_decoding(decoding)
        except ValueError as cause:
            raise ValueError(f"decodings: {variant[:80]}: {cause}") from None


def _values(run: Run) -> int:
    """Return the number of values in all packed arrays of a Run."""
    arrays = [run.images.indices, run.images.labels, run.images.checksums, *packed_arrays(run.truth)]
    for result in run.results:
        arrays += [result.predictions, result.unseen_positions, result.unclassified_positions, result.in_top_5]
        arrays += [result.postprocess, *packed_arrays(result.outputs)]
        for trial in [*result.first_round, *result.trials]:
            arrays += [trial.latencies, trial.image_positions]
    return sum(array.length for array in arrays if array is not None)


def _check_result(run: Run, result: Result, count: int) -> None:
    if result.predictions is not None:
        _packed(result.predictions, "predictions", count, below=1 << 16)
    unseen, unclassified = (
        None if positions is None else _packed(positions, name, positions.length, below=count)
        for name, positions in (
            ("unseen_positions", result.unseen_positions),
            ("unclassified_positions", result.unclassified_positions),
        )
    )
    if unseen is not None and unclassified is not None and len(np.intersect1d(unseen, unclassified)):
        raise ValueError("unclassified_positions: an image that is in no trial")
    if result.tied_images > count:
        raise ValueError(f"tied_images: {result.tied_images:,} of {count:,}")
    for each in result.delegations:
        if each.nodes > each.total_nodes:
            raise ValueError(f"delegations: {each.nodes:,} of {each.total_nodes:,} nodes")
    if result.in_top_5 is not None:
        _packed(result.in_top_5, "in_top_5", count, below=2)
    if result.postprocess is not None:
        _check_latencies(result.postprocess, "postprocess", count)
    if result.outputs is not None:
        try:
            check_outputs(result.outputs, run.task, count, run.truth)
        except ValueError as cause:
            raise ValueError(f"outputs: {cause}") from None
    for trial in [*result.first_round, *result.trials]:
        check_trial(run, trial, count)


def check_trial(run: Run, trial: Trial, count: int) -> None:
    """Raise ValueError if a trial is not consistent with its Run of ``count`` images."""
    latencies = trial.latencies
    if latencies.length > count:
        raise ValueError(f"{latencies.length:,} latencies for {count:,} images")
    _check_latencies(latencies, "latencies", latencies.length)
    if trial.image_positions is not None:
        _packed(trial.image_positions, "image_positions", run.images_per_pass, below=count)


def _check_latencies(latencies: PackedArray, name: str, length: int) -> None:
    if latencies.length > _LATENCIES_PER_BYTE * len(latencies.data) + _SMALL_ARRAY:
        raise ValueError(f"{latencies.length:,} latencies in only {len(latencies.data):,} bytes, which no clock gives")
    _packed(latencies, name, length)


def _packed(array: PackedArray, name: str, length: int, below: int = 1 << 62) -> npt.NDArray[Any]:
    """Return the unpacked values; raise ValueError if there are not ``length`` or one is not less than ``below``."""
    if array.length != length:
        raise ValueError(f"{name}: {array.length:,} values instead of {length:,}")
    values = unpack(array)
    could_exceed = below < 1 << (8 * values.itemsize)
    if could_exceed and (greatest := int(values.max(initial=0))) >= below:
        raise ValueError(f"{name}: invalid value {greatest:,}")
    return values
