"""Inspection of a model file: its operators, its cost, and the runtimes that can load it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats.tflite import TfliteFile, read_tflite
from edge_bench.bench.models.cost import ModelCost, model_cost
from edge_bench.bench.models.operator_support import Unsupported, known_releases, unsupported
from edge_bench.bench.progress import Progress
from edge_bench.bench.runtimes import RUNTIMES, SAVED_MODEL, installed_version
from edge_bench.bench.worker.process import WorkerFailed, describe_model

__all__ = ["LoadAttempt", "ModelInspection", "inspect_model"]


@dataclass(frozen=True)
class LoadAttempt:
    """The attempt to load the model with an installed runtime."""

    runtime: str
    version: str
    refusal: str  # error message; empty if the model was loaded


@dataclass(frozen=True)
class ModelInspection:
    """The result of an inspection."""

    path: Path
    converted: bool  # whether the rest describes the float32 .tflite conversion of a Keras model or SavedModel
    file: TfliteFile
    model_cost: ModelCost
    known: tuple[tuple[str, str, list[Unsupported]], ...]  # runtime, release, operators that it does not support
    tried: tuple[LoadAttempt, ...]


def inspect_model(path: Path, timeout: float, progress: Progress) -> ModelInspection:
    """Inspect a .tflite or .keras file or a SavedModel folder. Raise BadInput if it is none.

    This process only parses the file in Python. Worker processes load it, with ``timeout`` seconds each.
    """
    if not path.exists():
        raise BadInput(f"{path}: there is no such file", "name a .tflite or .keras file, or a SavedModel folder")
    if path.suffix == ".tflite" and path.is_file():
        return _inspect(path, path, timeout, progress)
    if path.suffix == ".onnx":
        raise BadInput(
            f"{path}: inspect reads .tflite, .keras and SavedModels", "an .onnx file can be measured with run"
        )
    if path.suffix != ".keras" and not (path / SAVED_MODEL).is_file():
        raise BadInput(
            f"{path}: no model that edge-bench knows", "name a .tflite or .keras file, or a SavedModel folder"
        )
    from edge_bench.app.conversion.convertible import open_convertible

    progress.start("converting to float32", 1)
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "float32.tflite"
        with open_convertible(str(path), "none", timeout) as source:
            converted.write_bytes(source.convert("float32"))
        progress.finish()
        return _inspect(path, converted, timeout, progress)


def _inspect(path: Path, file: Path, timeout: float, progress: Progress) -> ModelInspection:
    tflite = read_tflite(file)
    try:
        cost = model_cost(tflite)
    except ValueError as cause:
        raise BadInput(f"{path}: not a whole .tflite file: {cause}", "copy or export it again") from None
    runtimes = [(runtime, version) for runtime in RUNTIMES.values() if (version := installed_version(runtime))]
    runtimes = [(runtime, version) for runtime, version in runtimes if ".tflite" in runtime.formats]
    progress.start("loading it in", len(runtimes))
    tried = []
    for runtime, version in runtimes:
        progress.advance(0, runtime.name)
        tried.append(LoadAttempt(runtime.name, version, _refusal(runtime.name, file, timeout)))
        progress.advance(1)
    progress.finish()
    known = tuple(
        (release.runtime, release.version, unsupported(tflite.operators, release)) for release in known_releases()
    )
    return ModelInspection(path, path != file, tflite, cost, known, tuple(tried))


def _refusal(runtime: str, file: Path, timeout: float) -> str:
    try:
        describe_model(runtime, file, timeout)
    except WorkerFailed as cause:
        return cause.failure.message
    return ""
