"""Predictions under candidate preprocessings, made by a worker with the first runtime that can load the model."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.worker.messages import OpenProbe, Predict, Predicted, ProbeOpened, Ready
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["CannotPredict", "ProbeRuntime", "Predictor", "predictor"]


class CannotPredict(Exception):
    """No runtime of those that were chosen could load or run the model."""


@dataclass(frozen=True)
class ProbeRuntime:
    """A runtime that may load a model, and the file that it loads."""

    configuration: Configuration
    version: str
    file: Path


@dataclass(frozen=True)
class Predictor:
    """A loaded model in a worker."""

    runtime: str  # with its version, for messages
    worker: WorkerProcess
    timeout: float

    def predict(self, pixels: Path, rows: Sequence[int], preprocessing: Preprocessing) -> Predicted:
        """Return predictions for the images at these rows; raise CannotPredict if the worker fails."""
        request = Predict(images=str(pixels), rows=list(rows), preprocessing=preprocessing)
        try:
            return self.worker.ask(request, Predicted, self.timeout)
        except WorkerFailed as cause:
            raise CannotPredict(cause.failure.message) from None


@contextlib.contextmanager
def predictor(
    runtimes: Sequence[ProbeRuntime], input_shape: tuple[int, ...] | None, threshold: float, timeout: float,
    memory_limit: int | None,
) -> Iterator[Predictor]:  # fmt: skip
    """Yield the model, loaded by the first runtime that can; raise CannotPredict if none can."""
    problem = "no installed runtime can load it"
    for runtime in runtimes:
        with contextlib.ExitStack() as stack:
            try:
                worker = stack.enter_context(WorkerProcess(runtime.configuration.runtime, memory_limit))
                worker.wait_for(Ready, timeout)
                request = OpenProbe(
                    configuration=runtime.configuration,
                    file=str(runtime.file.absolute()),
                    input_shape=None if input_shape is None else list(input_shape),
                    threshold=threshold,
                )
                worker.ask(request, ProbeOpened, timeout)
            except WorkerFailed as cause:
                problem = cause.failure.message
                continue
            yield Predictor(f"{runtime.configuration.runtime} {runtime.version}", worker, timeout)
            return
    raise CannotPredict(problem)


def predicted_labels(predicted: Predicted) -> npt.NDArray[np.int64]:
    """Return the outputs with the highest score, [images]; -1 for images whose scores are not finite."""
    labels = np.frombuffer(predicted.labels, "<i4").astype(np.int64)
    return labels
