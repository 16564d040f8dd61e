"""From a model's file to all that is known of it: what it is made of, what it costs, what can load it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.formats.tflite import TfliteFile, read_tflite
from edge_bench.bench.models.cost import ModelCost, model_cost
from edge_bench.bench.models.operator_support import Unsupported, known_releases, unsupported
from edge_bench.bench.progress import Progress
from edge_bench.bench.runtimes import RUNTIMES, SAVED_MODEL, installed_version
from edge_bench.bench.worker.process import WorkerFailed, describe_model

__all__ = ["LoadAttempt", "ModelInspection", "inspect_model"]


@dataclass(frozen=True)
class LoadAttempt:
    """What a runtime that is installed here did with the model."""

    runtime: str
    version: str
    refusal: str  # empty: it loaded


@dataclass(frozen=True)
class ModelInspection:
    """A model, taken apart."""

    path: Path
    converted: bool  # the file is a Keras model or SavedModel, and this is what it becomes as float32
    file: TfliteFile
    model_cost: ModelCost
    known: tuple[tuple[str, str, list[Unsupported]], ...]  # runtime, release, what it lacks
    tried: tuple[LoadAttempt, ...]


def inspect_model(path: Path, timeout: float, progress: Progress) -> ModelInspection:
    """Reads the file in Python; only worker processes load it. BadInput where it is no model."""
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
    read = read_tflite(file)
    try:
        cost = model_cost(read)
    except ValueError as cause:
        raise BadInput(f"{path}: not a whole .tflite file: {cause}", "copy or export it again") from None
    able = [(runtime, version) for runtime in RUNTIMES.values() if (version := installed_version(runtime))]
    able = [(runtime, version) for runtime, version in able if ".tflite" in runtime.formats]
    progress.start("loading it in", len(able))
    tried = []
    for runtime, version in able:
        progress.advance(0, runtime.name)
        tried.append(LoadAttempt(runtime.name, version, _refusal(runtime.name, file, timeout)))
        progress.advance(1)
    progress.finish()
    known = tuple(
        (release.runtime, release.version, unsupported(read.operators, release)) for release in known_releases()
    )
    return ModelInspection(path, path != file, read, cost, known, tuple(tried))


def _refusal(runtime: str, file: Path, timeout: float) -> str:
    try:
        describe_model(runtime, file, timeout)
    except WorkerFailed as cause:
        return cause.failure.message
    return ""
