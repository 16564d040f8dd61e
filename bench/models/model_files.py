"""Models that are given as files instead of a bundle: .tflite, .keras, .onnx, or a SavedModel folder."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.names import recordable
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.model_formats.tflite_metadata import ModelMetadata, read_metadata
from edge_bench.bench.models.cost import model_cost
from edge_bench.bench.models.memory_estimate import check_memory, memory_need, tflite_need
from edge_bench.bench.models.model_identity import size_and_sha256
from edge_bench.bench.models.model_names import names_of
from edge_bench.bench.records.bundle import MANIFEST
from edge_bench.bench.records.manifest import Operator, TensorSpec, Variant
from edge_bench.bench.runtimes import RUNTIMES, SAVED_MODEL, Runtime, installed_version, why_not_installed
from edge_bench.bench.runtimes.keras_model import LEGACY_SUFFIXES
from edge_bench.bench.runtimes.scores import class_count
from edge_bench.bench.system.memory import untimed_memory_limit
from edge_bench.bench.worker.messages import Described
from edge_bench.bench.worker.process import WorkerFailed, describe_model

__all__ = ["ModelFiles", "Models", "is_bundle"]

KNOWN = "a bundle's folder, a .tflite, .keras, .h5 or .onnx file, or a SavedModel folder"

_CLASSIFIERS_ONLY = "edge-bench measures classifiers: models with one output that has one score per class"
_CONVERT_LEGACY = (
    "save it as .keras with the version of Keras that wrote it: "
    "keras.models.load_model('model.h5', compile=False).save('model.keras')"
)
_QUANTIZED = ("int8", "int16", "int32", "uint16")


@dataclass(frozen=True)
class ModelFiles:
    """Files as the variants of one model, named after the files."""

    variants: list[Variant]
    paths: dict[str, Path]  # by the variant's name
    parameters: int  # of the first .tflite; 0 if there is none
    metadata: dict[str, ModelMetadata] = field(default_factory=dict)  # of .tflite files that have any
    notes: list[str] = field(default_factory=list)  # what a user should know about the files

    @classmethod
    def open(
        cls,
        paths: Sequence[Path],
        timeout: float,
        image_size: tuple[int, int] | None = None,
        memory_limit: int | None = None,
    ) -> "ModelFiles":
        """Read every file; formats that need their own library are read in a worker process.

        Raise BadInput for a file that cannot be used, MissingDependency if its runtime is not installed.
        """
        variants, notes, parameters = [], list[str](), 0
        files, metadata = dict[str, Path](), dict[str, ModelMetadata]()
        for name, path in names_of(paths).items():
            variant, count = _read_variant(path, name, timeout, image_size, memory_limit)
            variants.append(variant)
            files[name] = path
            known, problems = _metadata(path)
            notes += problems
            if known is not None:
                metadata[name] = known
            parameters = parameters or count
        return cls(variants, files, parameters, metadata, notes)

    def variant(self, name: str) -> Variant:
        """Return the variant of that name; raise BadInput if there is none."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise BadInput(f"no model is called {name!r}", f"there are: {', '.join(self.paths)}")

    def checked(self, entry: Variant) -> Path:
        """Return its path; nothing is checked again, as its checksum was computed when it was read."""
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
    """Return whether a path denotes a bundle: a folder that is no SavedModel, or a missing path that may be one."""
    if path.is_dir():
        return (path / MANIFEST).exists() or not (path / SAVED_MODEL).exists()
    return not path.suffix or (not path.exists() and path.suffix not in (".tflite", ".keras", ".h5", ".hdf5", ".onnx"))


def _read_variant(
    path: Path, name: str, timeout: float, image_size: tuple[int, int] | None, memory_limit: int | None
) -> tuple[Variant, int]:
    """Return the variant of a file and its number of parameters, 0 for other formats than .tflite."""
    runtime = _check_file(path)
    operators, parameters = list[Operator](), 0
    if path.suffix == ".tflite" and path.is_file():
        described, operators, parameters = _read_tflite(path, memory_limit)
    else:
        described = _describe(path, runtime, timeout, image_size, memory_limit)
    input_spec, output_spec = described.input, described.output
    _check_input(path, input_spec)
    _check_classifier(path, output_spec)
    size, digest = size_and_sha256(path)
    variant = Variant(
        name=name,
        file=recordable(f"{path.name}/{SAVED_MODEL}" if path.is_dir() else path.name),
        precision=f"{input_spec.dtype} in, {output_spec.dtype} out",
        bytes=size,
        sha256=digest,
        input=input_spec,
        output=output_spec,
        operators=operators,
        fixed_batch=described.fixed_batch,
    )
    return variant, parameters


def _check_file(path: Path) -> Runtime:
    """Return the first runtime for the file's format; raise BadInput if there is none."""
    if not path.exists():
        raise BadInput(f"{path}: there is no such file", f"name {KNOWN}")
    kind = SAVED_MODEL if path.is_dir() else path.suffix
    runtimes = [runtime for runtime in RUNTIMES.values() if kind in runtime.formats]
    if not runtimes or (path.is_dir() and not (path / SAVED_MODEL).exists()):
        raise BadInput(f"{path}: no model that edge-bench knows", f"name {KNOWN}")
    if not path.is_dir() and not path.is_file():
        raise BadInput(f"{path}: no ordinary file", f"name {KNOWN}")
    return runtimes[0]


def _read_tflite(path: Path, memory_limit: int | None) -> tuple[Described, list[Operator], int]:
    """Return input and output, operators and the number of parameters of a .tflite file."""
    file = read_tflite(path)
    check_memory(path, tflite_need(file), memory_limit)
    try:
        described = Described(
            input=file.only_input, output=file.only_output, fixed_batch=file.inputs[0].fixed_batch
        )  # fmt: skip
    except ValueError as cause:
        raise BadInput(f"{path}: {cause}", _CLASSIFIERS_ONLY) from None
    try:
        return described, list(file.operators), model_cost(file).parameters
    except ValueError as cause:
        raise BadInput(f"{path}: not a whole .tflite file: {cause}", "copy or export it again") from None


def _describe(
    path: Path, runtime: Runtime, timeout: float, image_size: tuple[int, int] | None, memory_limit: int | None
) -> Described:
    """Return input and output of a model by loading it in a worker.

    It is checked first, and only then loaded, without a size. If then the number of classes is not known, and
    ``image_size`` gives the two open axes of its input, it is loaded again with these, which the worker then invokes
    once.
    """
    if installed_version(runtime) is None:
        raise why_not_installed(runtime)
    check_memory(path, memory_need(path), memory_limit)
    memory_limit = untimed_memory_limit(memory_limit)
    try:
        described = describe_model(runtime.name, path, timeout, None, memory_limit)
        sizes = described.input.shape[1:]
        if image_size is not None and sizes.count(-1) == len(image_size) and -1 in described.output.shape[1:]:
            size = iter(image_size)  # height before width in every layout
            filled = [next(size) if each == -1 else each for each in sizes]
            output = describe_model(runtime.name, path, timeout, filled, memory_limit).output
            described = msgspec.structs.replace(described, output=output)
    except WorkerFailed as cause:
        remedy = _CONVERT_LEGACY if path.suffix in LEGACY_SUFFIXES else ""
        raise BadInput(f"{path}: {cause.failure.message}", cause.failure.remedy or remedy) from None
    return described


def _check_input(path: Path, spec: TensorSpec) -> None:
    """Raise BadInput unless the input takes floats, quantized integers or the uint8 values of pixels."""
    if spec.dtype.startswith("float") or spec.dtype == "uint8" or (spec.dtype in _QUANTIZED and spec.scale):
        return
    shown = "×".join("?" if size < 0 else str(size) for size in spec.shape[1:])
    raise BadInput(
        f"{path}: its input is {shown} {spec.dtype} without quantization, such as tokens",
        "edge-bench feeds images and arrays of floats",
    )


def _check_classifier(path: Path, output: TensorSpec) -> None:
    try:
        class_count(output)
    except ValueError as cause:
        remedy = "state the size of its input: --image-size 224x224" if -1 in output.shape[1:] else _CLASSIFIERS_ONLY
        raise BadInput(f"{path}: {cause}", remedy) from None


class Models(Protocol):
    """Variants of a model and their files: a `Bundle` or `ModelFiles`."""

    @property
    def variants(self) -> Sequence[Variant]:
        """All variants."""

    def variant(self, name: str) -> Variant:
        """Return the variant of that name; raise BadInput if there is none."""

    def checked(self, entry: Variant) -> Path:
        """Return the path of its file after checking it; raise BundleError if it is not as recorded."""
