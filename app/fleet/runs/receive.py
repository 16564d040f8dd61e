"""Runs from other machines: untrusted input, fully checked before use."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.app.fleet.docker.engine import platform_of
from edge_bench.app.fleet.docker.errors import EngineTrouble
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.dataset.graph_examples import selected_truth
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.outputs.decoding import Decoding, TensorDecoding
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run, run_file_name, write_run
from edge_bench.bench.tasks.true_values import differing_truths

__all__ = ["COLLECTED_FILES", "JOURNAL_FILES", "MAX_BYTES", "RUN_FILES", "Expected", "newest_complete", "store_run"]

#: Full names in the fetched archive: Run files, and journals to resume an interrupted run from.
RUN_FILES = re.compile(r"runs/run-[A-Za-z0-9-]{1,80}\.json")
JOURNAL_FILES = re.compile(r"runs/run-[A-Za-z0-9-]{1,80}\.journal")
#: Runs that a swarm's collector has received, in one folder per node.
COLLECTED_FILES = re.compile(r"runs/[A-Za-z0-9]{1,64}/run-[0-9a-f]{64}\.json")
#: The largest record (512 MiB), and 1 MiB for the archive's own blocks.
MAX_BYTES = (512 << 20) + (1 << 20)


@dataclass(frozen=True)
class Expected:
    """The properties that a received Run must have."""

    bundle: Bundle
    settings: dict[str, Any]  # the values of the given options of `run`
    hostname: str
    platform: str


def newest_complete(paths: Iterable[Path], expected: Expected) -> Run:
    """Return the newest complete Run that passes all checks. Raise EngineTrouble if there is none."""
    newest: Run | None = None
    problem = "it ended without a Run"
    for path in paths:
        try:
            run = _checked(read_run(path), expected)
        except EdgeBenchError as cause:
            problem = f"its Run cannot be used: {cause.problem.replace(str(path.parent), '').lstrip('/')}"
            continue
        if run.complete:
            newest = max(newest or run, run, key=lambda each: each.ended)
        else:
            problem = "its Run is not complete"
    if newest is None:
        raise EngineTrouble(problem, "try again with --resume")
    return newest


def store_run(run: Run, results: Path) -> Path:
    """Write a Run to the results folder unless it is already there, and return its path.

    Raise EngineTrouble if another Run has its file name.
    """
    path = results / run_file_name(run.began, run.machine.hostname, run.run_id)
    if path.exists():
        if read_run(path).run_id == run.run_id:
            return path
        raise EngineTrouble(f"{path} already exists and is another Run", "check that machine")
    return write_run(run, results)


def _checked(run: Run, expected: Expected) -> Run:
    if not re.fullmatch(r"[0-9a-f]{8,64}", run.run_id) or not re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", run.began
    ):
        raise BadInput("its id or its time is not valid for `run`")
    if not _printable(msgspec.to_builtins(run)):
        raise BadInput("it contains control characters")
    if run.bundle.sha256 != expected.bundle.digest:
        raise BadInput("it is from another bundle")
    if run.machine.hostname != expected.hostname:
        raise BadInput("it is from another machine")
    if platform_of(run.machine.architecture) != expected.platform:
        raise BadInput(f"it was made on {run.machine.architecture}")
    settings = msgspec.structs.asdict(run.settings)
    if different := [name for name, value in expected.settings.items() if settings.get(name) != value]:
        raise BadInput(f"it was made with another {different[0]}")
    try:
        check = _check_examples if expected.bundle.manifest.is_graph else _check_images
        check(run, expected.bundle)
        compare([run])
    except EdgeBenchError:
        raise
    except Exception as cause:  # an invalid Run fails only its own engine
        raise BadInput(f"its values are inconsistent: {type(cause).__name__}") from None
    return run


def _check_images(run: Run, bundle: Bundle) -> None:
    """Raise BadInput unless images and labels are the bundle's and every result has a prediction for each image."""
    indices = unpack(run.images.indices).astype(np.int64)
    images, labels = bundle.test_set()
    _check_indices(run, indices, len(images))
    if labels is not None and not np.array_equal(unpack(run.images.labels), labels[indices]):
        raise BadInput("its labels are not the bundle's")
    for result in run.results_with_trials:
        if result.predictions is None or result.predictions.length != len(indices):
            raise BadInput(f"{result.configuration} has no label for some images")


def _check_examples(run: Run, bundle: Bundle) -> None:
    """Raise BadInput unless task, examples and true values are the bundle's and every result has outputs."""
    manifest = bundle.manifest
    if run.task != manifest.task:
        raise BadInput("it is for another task")
    indices = unpack(run.images.indices).astype(np.int64)
    _check_indices(run, indices, manifest.split.test)
    if any(run.decodings.get(name) != decoding for name, decoding in _decodings(run, bundle).items()):
        raise BadInput("it decodes the outputs differently than the bundle states")
    truth, positions = selected_truth(bundle.truth(), indices), np.arange(len(indices))
    if (truth is None) != (run.truth is None) or (
        truth is not None and run.truth is not None and differing_truths(run.truth, truth, (positions, positions))
    ):
        raise BadInput("its true values are not the bundle's")
    for result in run.results_with_trials:  # reading the file checked that there is one for each example
        if result.outputs is None:
            raise BadInput(f"{result.configuration} has no outputs")


def _decodings(run: Run, bundle: Bundle) -> dict[str, Decoding]:
    """Return the decoding of the bundle's outputs for each measured variant."""
    measured = {result.configuration.variant for result in run.results_with_trials}
    return {name: bundle.manifest.decodings.get(name, TensorDecoding()) for name in measured}


def _check_indices(run: Run, indices: npt.NDArray[np.int64], total: int) -> None:
    if run.images.total_images != total or len(indices) > total or (len(indices) and indices.max() >= total):
        raise BadInput("its images are not the bundle's")


def _printable(value: Any) -> bool:
    """Return whether every text in a nested value is free of terminal control characters."""
    if isinstance(value, str):
        return value.isprintable() or not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", value)
    if isinstance(value, dict):
        return all(_printable(key) and _printable(inner) for key, inner in value.items())
    return all(map(_printable, value)) if isinstance(value, list | tuple) else True
