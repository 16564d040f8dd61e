"""Models that are given as files instead of a bundle: .tflite, .keras, .onnx, or a SavedModel folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.names import recordable
from edge_bench.bench.model_formats.tflite import TfliteFile, read_tflite
from edge_bench.bench.model_formats.tflite_metadata import ModelMetadata, read_metadata
from edge_bench.bench.models.classifier_files import NoClassifier, classifier_in_worker, classifier_of_tflite
from edge_bench.bench.models.cost import model_cost
from edge_bench.bench.models.graph_files import GraphSettings, checked_graph, graph_in_worker, graph_of_tflite
from edge_bench.bench.models.memory_estimate import check_memory, memory_need, tflite_need
from edge_bench.bench.models.model_identity import model_bytes, model_files, shown_progress, size_and_sha256
from edge_bench.bench.models.model_names import names_of
from edge_bench.bench.progress import Progress, Silent
from edge_bench.bench.records.bundle import MANIFEST
from edge_bench.bench.records.manifest import TensorSpec, Variant
from edge_bench.bench.records.ncnn_files import PARAM
from edge_bench.bench.records.run import CLASSIFY
from edge_bench.bench.runtimes import RUNTIMES, SAVED_MODEL, Runtime, installed_version, why_not_installed
from edge_bench.bench.system.memory import untimed_memory_limit
from edge_bench.bench.worker.graphs.messages import GraphDescribed
from edge_bench.bench.worker.messages import Described

__all__ = ["ModelFiles", "Models", "is_bundle"]

KNOWN = "a bundle's folder, a .tflite, .keras, .h5, .onnx or .param file, or a SavedModel folder"


@dataclass(frozen=True)
class _Reading:
    """The arguments of `ModelFiles.open` for reading files."""

    timeout: float
    image_size: tuple[int, int] | None
    memory_limit: int | None
    task: str | None
    settings: GraphSettings
    progress: Progress


@dataclass(frozen=True)
class ModelFiles:
    """Files as the variants of one model, named after the files.

    A variant that is measured as a classifier has no ``inputs`` and ``outputs``. All others have them, and are in
    ``graphs``.
    """

    variants: list[Variant]
    paths: dict[str, Path]  # by the variant's name
    parameters: int  # of the first .tflite; 0 if there is none
    metadata: dict[str, ModelMetadata] = field(default_factory=dict)  # of .tflite files that have any
    notes: list[str] = field(default_factory=list)  # notes about the files for the user
    graphs: dict[str, GraphDescribed] = field(default_factory=dict)  # by the variant's name

    @classmethod
    def open(
        cls,
        paths: Sequence[Path],
        timeout: float,
        image_size: tuple[int, int] | None = None,
        memory_limit: int | None = None,
        *,
        task: str | None = None,
        signature: str = "",
        shapes: Mapping[str, tuple[int, ...]] | None = None,
        progress: Progress = Silent(),  # noqa: B008 - it has no state
    ) -> "ModelFiles":
        """Read every file; formats that need their own library are read in a worker process.

        task: as set by the user, or inferred from the labels. None: a model with one input and one list of scores is a
        classifier, all others are graphs; classify: other models are refused; another task: all are graphs
        signature: the named function to measure; shapes: of whole inputs with open axes, by name
        progress: shown for large models
        Raise BadInput for a file that cannot be used, MissingDependency if its runtime is not installed.
        """
        how = _Reading(timeout, image_size, memory_limit, task, GraphSettings(signature, shapes or {}), progress)
        variants, notes, parameters = [], list[str](), 0
        files, metadata, graphs = dict[str, Path](), dict[str, ModelMetadata](), dict[str, GraphDescribed]()
        for name, path in names_of(paths).items():
            variant, count, graph = _read_variant(path, name, how)
            variants.append(variant)
            files[name] = path
            if graph is not None:
                graphs[name] = graph
            known, problems = _metadata(path)
            notes += problems
            if known is not None:
                metadata[name] = known
            parameters = parameters or count
        return cls(variants, files, parameters, metadata, notes, graphs)

    def variant(self, name: str) -> Variant:
        """Return the variant of that name; raise BadInput if there is none."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise BadInput(f"no model is called {name!r}", f"choose from {', '.join(self.paths)}")

    def checked(self, entry: Variant) -> Path:
        """Return its path. It is not checked again, as its checksum was computed when it was read."""
        return self.paths[entry.name]

    @property
    def name(self) -> str:
        """The names of all files, separated by commas."""
        return ", ".join(self.paths)


def _metadata(path: Path) -> tuple[ModelMetadata | None, list[str]]:
    """Return the metadata of a .tflite file, None if it has none, and a note if it is damaged."""
    if path.suffix != ".tflite" or not path.is_file():
        return None, []
    try:
        return read_metadata(path), []
    except ValueError as cause:
        return None, [f"{path.name}: its metadata is damaged and was ignored: {cause}"]


def is_bundle(path: Path) -> bool:
    """Return whether a path denotes a bundle: a folder that is not a SavedModel, or a missing path that may be one."""
    if path.is_dir():
        return (path / MANIFEST).exists() or not (path / SAVED_MODEL).exists()
    return not path.suffix or (
        not path.exists() and path.suffix not in (".tflite", ".keras", ".h5", ".hdf5", ".onnx", PARAM)
    )


def _read_variant(path: Path, name: str, how: _Reading) -> tuple[Variant, int, GraphDescribed | None]:
    """Return the variant of a file, its number of parameters (0 if unknown), and its description if it is a graph."""
    runtime = _check_file(path)
    is_tflite = path.suffix == ".tflite" and path.is_file()
    file = read_tflite(path) if is_tflite else None
    if file is not None:
        check_memory(path, tflite_need(file), how.memory_limit)
    described = _described(path, file, runtime, how)
    graph: GraphDescribed | None = None
    if isinstance(described, GraphDescribed):
        graph, inputs, outputs = described, described.inputs, described.outputs
    else:
        inputs, outputs = [described.input], [described.output]
    size, digest = size_and_sha256(path, how.progress)
    variant = Variant(
        name=name,
        file=recordable(f"{path.name}/{SAVED_MODEL}" if path.is_dir() else path.name),
        precision=f"{_types(inputs)} in, {_types(outputs)} out",
        bytes=size,
        sha256=digest,
        input=inputs[0],
        output=outputs[0],
        operators=[] if file is None else list(file.operators),
        fixed_batch=described.fixed_batch,
        inputs=[] if graph is None else inputs,
        outputs=[] if graph is None else outputs,
        signature="" if graph is None else how.settings.signature,
    )
    return variant, _parameters(path, file), graph


def _described(path: Path, file: TfliteFile | None, runtime: Runtime, how: _Reading) -> Described | GraphDescribed:
    """Return inputs and outputs of a model after checking that all its files exist."""
    loading = shown_progress(model_bytes(path, model_files(path)), how.progress)
    loading.start(f"loading {path.name}", 1)
    try:
        found = _classifier(path, file, runtime, how) or _graph(path, file, runtime, how)
        loading.advance()
    finally:
        loading.finish()
    return found


def _types(specs: Sequence[TensorSpec]) -> str:
    return "+".join(dict.fromkeys(spec.dtype for spec in specs))


def _classifier(path: Path, file: TfliteFile | None, runtime: Runtime, how: _Reading) -> Described | None:
    """Return input and output of a classifier; None for another model, or if another task is set.

    Raise BadInput for another model if the task is to classify.
    """
    if how.task not in (None, CLASSIFY) or (how.task is None and how.settings != GraphSettings()):
        return None
    try:
        if file is not None:
            return classifier_of_tflite(path, file)
        return classifier_in_worker(path, runtime, how.timeout, how.image_size, how.memory_limit)
    except NoClassifier as cause:
        if how.task == CLASSIFY:
            raise BadInput(cause.problem, cause.remedy) from None
        return None


def _graph(path: Path, file: TfliteFile | None, runtime: Runtime, how: _Reading) -> GraphDescribed:
    if file is not None and (found := graph_of_tflite(file, how.settings.signature)) is not None:
        return checked_graph(path, found)
    if installed_version(runtime) is None:
        raise why_not_installed(runtime)
    check_memory(path, memory_need(path), how.memory_limit)
    limit = untimed_memory_limit(how.memory_limit)
    return checked_graph(path, graph_in_worker(path, runtime, how.settings, how.timeout, limit))


def _check_file(path: Path) -> Runtime:
    """Return the first installed runtime for the file's format, otherwise the first; raise BadInput for no format."""
    if not path.exists():
        raise BadInput(f"{path}: no such file", f"use {KNOWN}")
    kind = SAVED_MODEL if path.is_dir() else path.suffix
    runtimes = [runtime for runtime in RUNTIMES.values() if kind in runtime.formats]
    if not runtimes or (path.is_dir() and not (path / SAVED_MODEL).exists()):
        raise BadInput(f"{path}: unsupported model format", f"use {KNOWN}")
    if not path.is_dir() and not path.is_file():
        raise BadInput(f"{path}: not a regular file", f"use {KNOWN}")
    return next((runtime for runtime in runtimes if installed_version(runtime)), runtimes[0])


def _parameters(path: Path, file: TfliteFile | None) -> int:
    """Return the number of parameters of a .tflite file, 0 for other formats."""
    try:
        return 0 if file is None else model_cost(file).parameters
    except ValueError as cause:
        raise BadInput(f"{path}: invalid or truncated .tflite file: {cause}", "copy or export it again") from None


class Models(Protocol):
    """Variants of a model and their files: a `Bundle` or `ModelFiles`."""

    @property
    def variants(self) -> Sequence[Variant]:
        """All variants."""

    def variant(self, name: str) -> Variant:
        """Return the variant of that name; raise BadInput if there is none."""

    def checked(self, entry: Variant) -> Path:
        """Return the path of its file after checking it; raise BundleError if it differs from its record."""
