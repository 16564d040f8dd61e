"""Models that someone named by their files: .tflite, .keras, .onnx, or a SavedModel folder."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.formats.keras_archive import check_keras
from edge_bench.bench.formats.tflite import MAX_FILE_BYTES, read_tflite
from edge_bench.bench.io.files import is_within, read_bounded, sha256_of, why_unreadable
from edge_bench.bench.models.cost import model_cost
from edge_bench.bench.records.bundle import MANIFEST
from edge_bench.bench.records.manifest import TensorSpec, Variant
from edge_bench.bench.runtimes import (
    RUNTIMES,
    SAVED_MODEL,
    installed_version,
    why_not_installed,
)
from edge_bench.bench.worker.process import WorkerFailed, describe_model

__all__ = ["ModelFiles", "Models", "check_folder", "is_bundle"]

KNOWN = "a bundle's folder, a .tflite, .keras or .onnx file, or a SavedModel folder"

#: TensorFlow's operations on files, and into Python; saving and restoring variables is in every SavedModel.
_REACHING_OUT = (
    b"WriteFile", b"ReadFile", b"MatchingFiles", b"PyFunc", b"TFRecordDataset", b"TextLineDataset",
    b"FixedLengthRecordDataset", b"WholeFileReader", b"TextLineReader", b"RpcCall",
)  # fmt: skip


@dataclass(frozen=True)
class ModelFiles:
    """Files as the variants of one model, by the names of the files."""

    variants: list[Variant]
    paths: dict[str, Path]
    parameters: int  # of the first .tflite; 0 where there is none

    @classmethod
    def open(
        cls,
        paths: Sequence[Path],
        timeout: float,
        image_size: tuple[int, int] | None = None,
        memory_limit: int | None = None,
    ) -> "ModelFiles":
        """Looks into every file; what only its own library can read is read in a worker process.

        BadInput says which file cannot be used and why; MissingDependency where no runtime here can read one.
        """
        stems = Counter(path.stem for path in paths)
        variants, named, parameters = [], dict[str, Path](), 0
        for path in paths:
            name = path.stem if stems[path.stem] == 1 else path.name
            if name in named:
                raise BadInput(f"{path}: a model called {name} is there already", "give each file a name of its own")
            variant, count = _look_at(path, name, timeout, image_size, memory_limit)
            variants.append(variant)
            named[name] = path
            parameters = parameters or count
        _same_ends(variants, named)
        return cls(variants, named, parameters)

    def variant(self, name: str) -> Variant:
        """The file of that name; BadInput lists them."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise BadInput(f"no model is called {name!r}", f"there are: {', '.join(self.paths)}")

    def checked(self, entry: Variant) -> Path:
        """Where it is; its checksum was taken when it was looked at."""
        return self.paths[entry.name]

    @property
    def name(self) -> str:
        """What the model is called, all its files together."""
        return ", ".join(self.paths)


def is_bundle(path: Path) -> bool:
    """Whether a path means a bundle: a folder, unless it is a SavedModel; also one that is not there."""
    if path.is_dir():
        return (path / MANIFEST).exists() or not (path / SAVED_MODEL).exists()
    return not path.suffix or (not path.exists() and path.suffix not in (".tflite", ".keras", ".onnx"))


def _look_at(
    path: Path, name: str, timeout: float, image_size: tuple[int, int] | None, memory_limit: int | None
) -> tuple[Variant, int]:
    if not path.exists():
        raise BadInput(f"{path}: there is no such file", f"name {KNOWN}")
    if path.suffix in (".h5", ".hdf5"):
        raise BadInput(
            f"{path}: Keras' old format", "save it as .keras: keras.models.load_model(…).save('model.keras')"
        )
    kind = SAVED_MODEL if path.is_dir() else path.suffix
    runtimes = [runtime for runtime in RUNTIMES.values() if kind in runtime.formats]
    if not runtimes or (path.is_dir() and not (path / SAVED_MODEL).exists()):
        raise BadInput(f"{path}: no model that edge-bench knows", f"name {KNOWN}")
    if path.is_dir():
        check_folder(path)
    elif not path.is_file():
        raise BadInput(f"{path}: no ordinary file", f"name {KNOWN}")
    elif kind == ".keras":
        try:
            check_keras(path)
        except (OSError, ValueError) as cause:
            raise BadInput(f"{path}: Keras is not shown it: {why_unreadable(cause)}", "do not use this model") from None
    parameters, operators = 0, []
    if kind == ".tflite":
        file = read_tflite(path)
        try:
            ends = file.only_input, file.only_output
        except ValueError as cause:
            raise BadInput(f"{path}: {cause}", "edge-bench measures classifiers") from None
        try:
            parameters, operators = model_cost(file).parameters, list(file.operators)
        except ValueError as cause:
            raise BadInput(f"{path}: not a whole .tflite file: {cause}", "copy or export it again") from None
    else:
        ends = _ends(path, runtimes[0].name, timeout, image_size, memory_limit)
    _classifier(path, ends[1])
    size, digest = _measured(path)
    variant = Variant(
        name=name,
        file=f"{path.name}/{SAVED_MODEL}" if path.is_dir() else path.name,
        precision=f"{ends[0].dtype} in, {ends[1].dtype} out",
        bytes=size,
        sha256=digest,
        input=ends[0],
        output=ends[1],
        operators=operators,
    )
    return variant, parameters


def _ends(
    path: Path, runtime: str, timeout: float, image_size: tuple[int, int] | None, memory_limit: int | None
) -> tuple[TensorSpec, TensorSpec]:
    if installed_version(RUNTIMES[runtime]) is None:
        raise why_not_installed(RUNTIMES[runtime])
    try:
        ends = describe_model(runtime, path, timeout, None if image_size is None else [*image_size, 3], memory_limit)
    except WorkerFailed as cause:
        raise BadInput(f"{path}: {cause.failure.message}", cause.failure.remedy) from None
    return ends.input, ends.output


def _classifier(path: Path, output: TensorSpec) -> None:
    sizes = output.shape[1:]
    if not sizes or sizes[-1] < 2 or any(size != 1 for size in sizes[:-1]):
        shown = "×".join("?" if size < 0 else str(size) for size in output.shape)
        raise BadInput(
            f"{path}: its output is {shown}, which is no classifier's",
            "edge-bench measures models with a score a class",
        )


def _same_ends(variants: Sequence[Variant], paths: dict[str, Path]) -> None:
    first = variants[0]
    for other in variants[1:]:
        if other.output.shape[-1] != first.output.shape[-1] or sorted(other.input.shape[1:]) != sorted(
            first.input.shape[1:]
        ):
            raise BadInput(
                f"{paths[first.name]} takes {first.input.shape[1:]} and has {first.output.shape[-1]} classes, "
                f"{paths[other.name]} takes {other.input.shape[1:]} and has {other.output.shape[-1]}",
                "measure models of different shapes in runs of their own",
            )


def check_folder(path: Path) -> None:
    """Raises BadInput for a SavedModel's folder that holds links to outside it, or what is no ordinary file.

    And where its graph names operations that read or write files of their own choice, or call Python: a SavedModel is a
    program, and this looks for the worst that it could be, not for everything.
    """
    for within in path.rglob("*"):
        if not is_within(path, within):
            raise BadInput(f"{within}: a link to outside the SavedModel", "do not use this model")
        if not within.is_file() and not within.is_dir():
            raise BadInput(f"{within}: no ordinary file", "do not use this model")
    try:
        graph = read_bounded(path / SAVED_MODEL, MAX_FILE_BYTES)
    except (OSError, ValueError) as cause:
        raise BadInput(f"{path / SAVED_MODEL}: cannot be read: {why_unreadable(cause)}") from None
    if found := [name.decode() for name in _REACHING_OUT if name in graph]:
        raise BadInput(f"{path}: its graph may reach out of itself ({', '.join(found)})", "do not use this model")


def _measured(path: Path) -> tuple[int, str]:
    """Bytes and SHA-256 of a file, or of all files of a folder by their names."""
    if path.is_file():
        return path.stat().st_size, sha256_of(path)
    files = sorted(inside for inside in path.rglob("*") if inside.is_file())
    sums = [(inside.relative_to(path).as_posix(), sha256_of(inside)) for inside in files]
    return sum(inside.stat().st_size for inside in files), hashlib.sha256(msgspec.json.encode(sums)).hexdigest()


class Models(Protocol):
    """Variants of a model and their files: a bundle, or files that someone named."""

    @property
    def variants(self) -> Sequence[Variant]:
        """All there are."""

    def variant(self, name: str) -> Variant:
        """The one of that name; BadInput lists what there is."""

    def checked(self, entry: Variant) -> Path:
        """Its file, after it was checked; BundleError says what is wrong with it."""
