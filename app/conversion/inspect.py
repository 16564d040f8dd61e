"""Inspection of a model file: its operators, its cost, and the runtimes that can load it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from edge_bench.app.conversion.measurable import Bounds, Measurability, measurability
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.model_formats.tflite import TfliteFile, read_tflite
from edge_bench.bench.model_formats.tflite_metadata import ModelMetadata, read_metadata
from edge_bench.bench.models.cost import ModelCost, model_cost
from edge_bench.bench.models.memory_estimate import tflite_need, why_too_large
from edge_bench.bench.models.model_identity import model_bytes, model_files
from edge_bench.bench.models.operator_support import Unsupported, known_releases, unknown_operators, unsupported
from edge_bench.bench.progress import Progress
from edge_bench.bench.runtimes import RUNTIMES, SAVED_MODEL, Runtime, installed_version, why_not_installed
from edge_bench.bench.worker.load_check import try_load

__all__ = [
    "GraphInspection",
    "KnownSupport",
    "LoadAttempt",
    "ModelInspection",
    "inspect_graph",
    "inspect_model",
    "known_support",
]


@dataclass(frozen=True)
class KnownSupport:
    """Operator support of a runtime release, known without loading the model."""

    runtime: str
    release: str
    missing: list[Unsupported]  # operators that it does not support
    unknown: list[str]  # custom operators that were not tested with it


@dataclass(frozen=True)
class LoadAttempt:
    """The attempt to load the model with an installed runtime, and to invoke it once with zeros."""

    runtime: str
    version: str
    refusal: str  # error message; empty if the model was loaded
    invocation: str = ""  # error message; empty if the invocation worked, or there was none
    sizes: tuple[int, ...] = ()  # sizes of open axes that were loaded, or that failed if there is a refusal


@dataclass(frozen=True)
class ModelInspection:
    """The result of an inspection."""

    path: Path
    converted: bool  # whether the rest describes the float32 .tflite conversion of a Keras model or SavedModel
    file: TfliteFile
    model_cost: ModelCost
    known: tuple[KnownSupport, ...]
    tried: tuple[LoadAttempt, ...]
    measurability: Measurability
    metadata: ModelMetadata | None = None
    metadata_problem: str = ""  # why the metadata cannot be read; otherwise empty


@dataclass(frozen=True)
class GraphInspection:
    """The result of an inspection of a file whose operators are not read."""

    path: Path
    bytes: int
    measurability: Measurability


def inspect_model(path: Path, timeout: float, progress: Progress, memory_limit: int | None = None) -> ModelInspection:
    """Inspect a .tflite or .keras file or a SavedModel folder. Raise BadInput for anything else.

    This process only parses the file in Python. Worker processes load it, with ``timeout`` seconds and ``memory_limit``
    bytes each, by default the memory that this machine can spare.
    """
    bounds = Bounds(timeout, memory_limit)
    if not path.exists():
        raise BadInput(f"{path}: no such file", "use a .tflite, .keras or .onnx file, or a SavedModel folder")
    if path.suffix == ".tflite" and path.is_file():
        return _inspect(path, path, bounds, progress)
    if path.suffix != ".keras" and not (path / SAVED_MODEL).is_file():
        raise BadInput(f"{path}: not a supported model", "use a .tflite, .keras or .onnx file, or a SavedModel folder")
    from edge_bench.app.conversion.convertible import open_convertible

    progress.start("converting to float32", 1)
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "float32.tflite"
        with open_convertible(str(path), "none", timeout, any_signature=True, memory_limit=memory_limit) as source:
            try:
                converted.write_bytes(source.convert("float32"))
            except EdgeBenchError:  # for example a Keras LSTM, which has no built-in operators
                converted.write_bytes(source.convert("float32", select_tf_ops=True))
        progress.finish()
        return _inspect(path, converted, bounds, progress)


def known_support(file: TfliteFile) -> tuple[KnownSupport, ...]:
    """Return the known operator support of every probed release."""
    return tuple(
        KnownSupport(
            runtime=release.runtime,
            release=release.version,
            missing=unsupported(file.operators, release),
            unknown=unknown_operators(file.operators, release),
        )
        for release in known_releases()
    )


def _inspect(path: Path, file: Path, bounds: Bounds, progress: Progress) -> ModelInspection:
    tflite = read_tflite(file)
    try:
        cost = model_cost(tflite)
    except ValueError as cause:
        raise BadInput(f"{path}: invalid or truncated .tflite file: {cause}", "copy or export it again") from None
    metadata, problem = None, ""
    try:
        metadata = read_metadata(file)
    except ValueError as cause:
        problem = str(cause)
    tried = _try_all(path, file, tflite, bounds, progress)
    return ModelInspection(
        path=path,
        converted=path != file,
        file=tflite,
        model_cost=cost,
        known=known_support(tflite),
        tried=tuple(tried),
        measurability=_measurability(path, tried, bounds),
        metadata=metadata,
        metadata_problem=problem,
    )


def _try_all(path: Path, file: Path, tflite: TfliteFile, bounds: Bounds, progress: Progress) -> list[LoadAttempt]:
    runtimes = [each for each in _installed() if ".tflite" in each.formats]
    progress.start("loading in each runtime", len(runtimes))
    progress.expect(None)  # the steps take different times
    tried = []
    if path != file:  # the converter already loaded the original
        tensorflow = RUNTIMES["tensorflow"]
        tried.append(LoadAttempt(tensorflow.name, installed_version(tensorflow) or "", ""))
    too_large = why_too_large((need := tflite_need(tflite)).total(), bounds.memory_limit, need.mapped)
    for runtime in runtimes:
        progress.advance(0, runtime.name)
        version = installed_version(runtime) or ""
        if too_large:
            tried.append(LoadAttempt(runtime.name, version, too_large[0]))
            continue
        outcome = try_load(runtime.name, file, bounds.timeout, bounds.memory_limit)
        tried.append(LoadAttempt(runtime.name, version, outcome.refusal, outcome.invocation, tuple(outcome.sizes)))
        progress.advance(1)
    progress.finish()
    return tried


def _installed() -> list[Runtime]:
    return [runtime for runtime in RUNTIMES.values() if installed_version(runtime)]


def _measurability(path: Path, tried: list[LoadAttempt], bounds: Bounds) -> Measurability:
    """Return whether ``run`` can measure the model with an installed runtime that loads and invokes it."""
    kind = SAVED_MODEL if path.is_dir() else path.suffix
    loading = [each.runtime for each in tried if not each.refusal and kind in RUNTIMES[each.runtime].formats]
    if not loading:
        return Measurability((), "no installed runtime can load it")
    failing = {each.runtime: each.invocation for each in tried if each.invocation}
    if not set(loading) - failing.keys():
        return Measurability((), f"an invocation fails: {failing[loading[0]]}")
    return measurability(path, [each for each in loading if each not in failing], bounds)


def inspect_graph(path: Path, timeout: float, progress: Progress, memory_limit: int | None = None) -> GraphInspection:
    """Return inputs and outputs of an .onnx or .param file; raise BadInput if no worker can load it."""
    if not path.is_file():
        raise BadInput(f"{path}: no such file", "use a .tflite, .keras, .onnx or .param file, or a SavedModel folder")
    runtimes = [each for each in RUNTIMES.values() if path.suffix in each.formats]
    installed = [each.name for each in runtimes if installed_version(each)]
    if not installed:
        raise why_not_installed(runtimes[0])
    progress.start("loading in each runtime", 1)
    found = measurability(path, installed, Bounds(timeout, memory_limit))
    progress.finish()
    if found.advice is None:
        raise BadInput(f"{path}: {found.reason}", f"use a valid {path.suffix} file")
    return GraphInspection(path, model_bytes(path, model_files(path)), found)
