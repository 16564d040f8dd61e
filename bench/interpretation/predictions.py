"""Predictions under candidate preprocessings, made by a worker with the first runtime that can load the model."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.load import Inputs
from edge_bench.bench.interpretation.candidates import Candidate
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.models.operator_support import known_refusal
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.manifest import Variant
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.runtimes import RUNTIMES, installed_version
from edge_bench.bench.system.memory import untimed_memory_limit
from edge_bench.bench.worker.messages import OpenProbe, Predict, Predicted, ProbeOpened, Ready
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["CannotPredict", "Predictions", "ProbeRuntime", "Prober", "ProberFactory", "probe_runtimes"]

Labels = npt.NDArray[np.int64]


class CannotPredict(Exception):
    """None of the selected runtimes can load or run the model."""


@dataclass(frozen=True)
class ProbeRuntime:
    """A configuration that may load a model, and the file that it loads."""

    configuration: Configuration
    version: str
    file: Path
    delegate: Path | None = None  # the library of the configuration's delegate


def probe_runtimes(models: ModelFiles, variant: Variant) -> list[ProbeRuntime]:
    """Return the installed runtimes that may load a variant."""
    found = []
    for runtime in RUNTIMES.values():
        version = installed_version(runtime)
        if version is None or not variant.file.endswith(runtime.formats):
            continue
        if known_refusal(variant.operators, runtime.name, version) is None:
            configuration = Configuration(
                variant=variant.name, runtime=runtime.name, threads=1, batch_size=variant.fixed_batch or 1
            )
            found.append(ProbeRuntime(configuration, version, models.checked(variant)))
    return found


class Prober:
    """Predicts labels of the examples. The model is loaded for the first prediction."""

    def __init__(
        self,
        inputs: Inputs,
        runtimes: Sequence[ProbeRuntime],
        progress: Progress,
        *,
        input_shape: tuple[int, ...] | None,
        threshold: float,
        timeout: float,
        memory_limit: int | None,
        candidates: int = 1,  # number to be tested, for the progress
    ) -> None:
        self._inputs, self._runtimes, self._progress = inputs, runtimes, progress
        self._input_shape, self._threshold = input_shape, threshold
        self._timeout, self._memory_limit = timeout, untimed_memory_limit(memory_limit)
        self._left = self._candidates = candidates
        self._worker: WorkerProcess | None = None
        self._predicted: dict[tuple[str, bytes], Predicted] = {}
        self.runtime = ""  # the runtime that predicts, with its version

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.stop()
            self._progress.finish()

    def predict(self, candidate: Candidate, positions: Labels) -> Labels:
        """Return the output predicted for each image at ``positions``; -1 without finite scores.

        Raise CannotPredict if no runtime can load or run the model.
        """
        return np.frombuffer(self._ask(candidate, positions).labels, "<i4").astype(np.int64)

    def outside_unit(self, candidate: Candidate, positions: Labels) -> bool:
        """Return whether a single score of these images is outside of 0 to 1; raise CannotPredict as `predict`."""
        return self._ask(candidate, positions).outside_unit

    def _ask(self, candidate: Candidate, positions: Labels) -> Predicted:
        key = candidate.option, positions.tobytes()
        if key not in self._predicted:
            if self._worker is None:
                self._worker = self._open()
                self._progress.start("testing interpretations", self._candidates)
            request = Predict(
                images=self._inputs.pixels,
                rows=self._inputs.rows[positions].tolist(),
                preprocessing=candidate.preprocessing,
            )
            try:
                self._predicted[key] = self._worker.ask(request, Predicted, self._timeout)
            except WorkerFailed as cause:
                raise CannotPredict(cause.failure.message) from None
            self._progress.advance(min(1, self._left), candidate.text)
            self._left = max(0, self._left - 1)  # a second test on all images does not count as a step
        return self._predicted[key]

    def _open(self) -> WorkerProcess:
        """Return a worker with the loaded model."""
        problem = "no installed runtime can load the model"
        for runtime in self._runtimes:
            with contextlib.ExitStack() as cleanup:
                try:
                    files = [runtime.file, self._inputs.pixels]
                    worker = cleanup.enter_context(
                        WorkerProcess(
                            runtime.configuration.runtime, self._memory_limit, files=files, delegate=runtime.delegate
                        )
                    )
                    worker.wait_for(Ready, self._timeout)
                    request = OpenProbe(
                        configuration=runtime.configuration,
                        file=runtime.file.absolute(),
                        input_shape=None if self._input_shape is None else list(self._input_shape),
                        threshold=self._threshold,
                        delegate_library=runtime.delegate,
                    )
                    worker.ask(request, ProbeOpened, self._timeout)
                except WorkerFailed as cause:
                    problem = cause.failure.message
                    continue
                cleanup.pop_all()
                self.runtime = f"{runtime.configuration.runtime} {runtime.version}"
                return worker
        raise CannotPredict(problem)


class Predictions(Protocol):
    """The interface of `Prober`."""

    runtime: str

    def predict(self, candidate: Candidate, positions: Labels) -> Labels:
        """Return the output predicted for each image at ``positions``; -1 without finite scores."""

    def outside_unit(self, candidate: Candidate, positions: Labels) -> bool:
        """Return whether a single score of these images is outside of 0 to 1."""

    def close(self) -> None:
        """End the worker."""


#: Makes predictions from the arguments of `Prober`.
ProberFactory = Callable[..., Predictions]
