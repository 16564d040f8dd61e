"""kill -9 of `run` of a task other than classification: a resumed run has all outputs and all trials once."""

import signal
from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.measure.recording.run_builder import read_run_or_journal
from edge_bench.bench.records.journal.journal import JOURNAL
from edge_bench.bench.records.outputs.scores import ScoreTable
from edge_bench.bench.records.outputs.tensors import unpack_values
from edge_bench.bench.records.run_files import read_run
from tests.faults.harness import Station
from tests.made.graph.graph_models import regressor

pytestmark = pytest.mark.slow


def test_a_run_killed_around_the_recording_of_outputs_is_resumed(tmp_path: Path) -> None:
    station, results = Station(tmp_path), tmp_path / "results"
    values = np.random.default_rng(0).random((40, 4)).astype(np.float32)
    np.save(tmp_path / "x.npy", values)
    np.save(tmp_path / "y.npy", values.mean(axis=1) + 0.25)
    arguments = (
        "run", regressor(tmp_path / "m.tflite"), "--data", "x.npy", "--labels", "y.npy", "--task", "regress",
        "--runtime", "litert", "--trials", 2, "--processes", 1, "--quiet", "--resume",
    )  # fmt: skip
    began, recorded = "after-the-first-process-began", "after-the-first-outputs"
    for point in (began, began, recorded):  # each resumed run has processes of other numbers
        assert station.run_to(point, signal.SIGKILL, *arguments).code == -signal.SIGKILL
        (journal,) = results.glob(f"run-*{JOURNAL}")
        (result,) = read_run_or_journal(journal).results
        assert (result.outputs is not None, result.trials) == (point == recorded, [])
    assert station.run(*arguments).code == 0
    (path,) = results.iterdir()
    run = read_run(path)
    (result,) = run.results
    assert (run.complete, len(result.trials), result.unstable_predictions) == (True, 2, 0)
    assert isinstance(result.outputs, ScoreTable)
    np.testing.assert_allclose(unpack_values(result.outputs.values), values.mean(axis=1), rtol=1e-6)
    assert station.leftovers() == []
