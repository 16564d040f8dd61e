"""A model that can be converted, from the side of the command that asks: it lives in a process of its own."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from edge_bench.app.conversion.converter_process import (
    Convert,
    Converted,
    Load,
    Loaded,
    Refused,
    Reply,
    WriteKeras,
    Written,
)
from edge_bench.app.conversion.keras_applications import KERAS_APPLICATIONS
from edge_bench.app.conversion.precisions import Calibration
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.formats.tflite import MAX_FILE_BYTES
from edge_bench.bench.io.files import read_bounded
from edge_bench.bench.models.model_files import check_folder
from edge_bench.bench.records.manifest import Variant
from edge_bench.bench.runtimes import RUNTIMES, SAVED_MODEL, installed_version, why_not_installed
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["ConvertibleModel", "open_convertible"]

AnswerType = TypeVar("AnswerType")


@dataclass(frozen=True)
class ConvertibleModel:
    """A model in the hands of a converter process."""

    name: str
    preprocess: str | None  # that the model is known to want
    parameters: int | None  # None: a SavedModel
    _worker: WorkerProcess
    _folder: Path  # for what the two hand each other
    _timeout: float

    def convert(self, precision: str, calibration: Calibration | None = None) -> bytes:
        """The .tflite bytes of one precision. EdgeBenchError where TensorFlow cannot convert it."""
        ranges, file = self._folder / "calibration.npy", self._folder / f"{precision}.tflite"
        if calibration is not None:
            np.save(ranges, calibration, allow_pickle=False)
        given = None if calibration is None else str(ranges)
        _asked(self._worker, Convert(precision=precision, calibration=given, file=str(file)), Converted, self)
        content = read_bounded(file, MAX_FILE_BYTES)
        file.unlink()
        return content

    def write_keras(self, folder: Path) -> Variant:
        """The original into a bundle's folder."""
        return _asked(self._worker, WriteKeras(folder=str(folder.absolute())), Written, self).variant


@contextlib.contextmanager
def open_convertible(name: str, weights: str, timeout: float) -> Iterator[ConvertibleModel]:
    """A well-known model by its name, or a file or folder, loaded. BadInput where it is none or cannot be loaded."""
    if installed_version(RUNTIMES["tensorflow"]) is None:
        raise why_not_installed(RUNTIMES["tensorflow"])
    path = Path(name)
    if name not in KERAS_APPLICATIONS:
        if not path.exists():
            raise BadInput(
                f"{name}: no such file, and no model of that name", f"models are: {', '.join(KERAS_APPLICATIONS)}"
            )
        if (path / SAVED_MODEL).is_file():
            check_folder(path)
        elif path.suffix != ".keras" or not path.is_file():
            raise BadInput(f"{path}: not a .keras file or SavedModel folder", "save it with model.save('model.keras')")
    short = name if name in KERAS_APPLICATIONS else path.resolve().name if path.is_dir() else path.stem
    with (
        tempfile.TemporaryDirectory() as folder,
        WorkerProcess.spawn("edge_bench.app.conversion.converter_process", [], Reply) as worker,
    ):
        source = ConvertibleModel(
            short,
            KERAS_APPLICATIONS[name].preprocess if name in KERAS_APPLICATIONS else None,
            None,
            worker,
            Path(folder),
            timeout,
        )
        loaded = _asked(worker, Load(name=name, weights=weights), Loaded, source)
        yield ConvertibleModel(short, source.preprocess, loaded.parameters, worker, Path(folder), timeout)


def _asked(worker: WorkerProcess, request: Any, answer: type[AnswerType], source: ConvertibleModel) -> AnswerType:
    try:
        reply = worker.ask(request, object, source._timeout)
    except WorkerFailed as cause:
        raise EdgeBenchError(f"{source.name}: {cause.failure.message}", cause.failure.remedy) from None
    if isinstance(reply, Refused):
        raise (BadInput if reply.bad_input else EdgeBenchError)(reply.problem, reply.remedy)
    if not isinstance(reply, answer):
        raise EdgeBenchError(f"{source.name}: the converter answered {type(reply).__name__} out of turn")
    return reply
