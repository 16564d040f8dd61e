"""Predictions and accuracies of .tflite models in this process instead of a worker."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.load import Inputs
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.interpretation.candidates import Candidate
from edge_bench.bench.interpretation.files_workload import files_workload
from edge_bench.bench.interpretation.predictions import ProbeRuntime
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.preprocessing.model_inputs import model_inputs
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.run import Settings
from edge_bench.bench.runtimes import RUNTIMES, loader
from edge_bench.bench.runtimes.base import ModelFile
from edge_bench.bench.runtimes.scores import UNCLASSIFIED_LABEL, labels_and_top_five

__all__ = ["InProcessProber", "accuracy"]


def accuracy(model: Path, options: DataOptions, images: int | None = None) -> float:
    """Return the accuracy of a .tflite file on the data. Assert their number if ``images`` is given."""
    models = ModelFiles.open([model], timeout=60)
    workload = files_workload(models, options, Settings(), Silent(), prober=InProcessProber)
    assert workload.labels is not None
    assert images in (None, len(workload.labels))
    own = workload.input_of(models.variants[0].name)
    predicted = _predictions_of(model, own.pixels, own.rows, own.preprocessing, own.input_shape)
    return float(np.mean(predicted == workload.labels))


class InProcessProber:
    """A `Prober` without a process; the file is loaded for each prediction."""

    def __init__(
        self, inputs: Inputs, runtimes: Sequence[ProbeRuntime], progress: Any, *, input_shape: Any, **_: Any
    ) -> None:
        del progress
        self.runtime = "litert"
        self._inputs, self._file, self._input_shape = inputs, runtimes[0].file, input_shape

    def predict(self, candidate: Candidate, positions: npt.NDArray[Any]) -> npt.NDArray[Any]:
        rows = self._inputs.rows[positions]
        return _predictions_of(self._file, self._inputs.pixels, rows, candidate.preprocessing, self._input_shape)

    def outside_unit(self, candidate: Candidate, positions: npt.NDArray[Any]) -> bool:
        del candidate, positions
        return False

    def close(self) -> None:
        pass


def _predictions_of(
    file: Path, pixels: Path, rows: npt.NDArray[Any], preprocessing: Preprocessing, input_shape: Any
) -> npt.NDArray[Any]:
    """Return the predicted output of each example, [rows]; -1 without finite scores."""
    session = loader(RUNTIMES["litert"])(ModelFile(file, 1, 1, input_shape))
    inputs = model_inputs(open_npy(pixels)[rows], preprocessing, session.input)
    scores = np.zeros((len(inputs), *session.output.shape[1:]), session.output.dtype)
    session.classify(inputs, scores, lambda: 0)
    labels = labels_and_top_five(scores, session.output).labels
    return np.where(labels == UNCLASSIFIED_LABEL, -1, labels)
