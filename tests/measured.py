"""Runs of model files, measured in worker processes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import MissingDependency
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.run import Run, Settings
from edge_bench.bench.records.run_validation import check_run

__all__ = ["arrays", "correct", "run_files"]

QUICK = Settings(trials=1, processes=1)


def run_files(
    paths: Sequence[Path],
    selection: Selection | None = None,
    settings: Settings = QUICK,
    *,
    batch_sizes: Sequence[int] | None = None,
    **data: Any,
) -> Run:
    """Measure model files on the data of these `DataOptions`; skip the test if a runtime is missing."""
    selection = selection or Selection(batch_sizes=batch_sizes)
    try:
        request = BenchmarkRequest.from_files(paths, DataOptions(**data), selection, settings, Silent())
    except MissingDependency as cause:
        pytest.skip(cause.problem)
    run = run_benchmark(request.workload, request.planned, request.settings, Silent())
    check_run(run)
    return run


def correct(run: Run) -> list[tuple[int, int]]:
    """Return correct and seen images of each configuration, none of which may have failed."""
    assert [result.failure for result in run.results] == [None] * len(run.results)
    return [run.correct(result) for result in run.results]


def arrays(folder: Path, inputs: npt.NDArray[Any], labels: npt.ArrayLike) -> dict[str, Any]:
    """Write inputs and labels; return the options that name them."""
    np.save(folder / "x.npy", inputs)
    np.save(folder / "y.npy", np.asarray(labels, np.int64))
    return {"data": folder / "x.npy", "labels": folder / "y.npy"}
