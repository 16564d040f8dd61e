"""A model to convert, loaded in a separate process. This is the parent's side."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from edge_bench.app.conversion.bundle_files import KerasSpecs, write_keras
from edge_bench.app.conversion.converter_messages import (
    Convert,
    Converted,
    Load,
    Loaded,
    OutOfMemory,
    Refused,
    Reply,
    WriteKeras,
    WriteOnnx,
    Written,
    WrittenOnnx,
)
from edge_bench.app.conversion.keras_applications import KERAS_APPLICATIONS
from edge_bench.app.conversion.precisions import Calibration
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.io.files import open_regular_file, read_bounded
from edge_bench.bench.io.names import recordable
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.model_formats.tflite import MAX_TABLES_BYTES
from edge_bench.bench.models.memory_estimate import check_memory, memory_need
from edge_bench.bench.records.manifest import Variant
from edge_bench.bench.records.ncnn_files import PARAM
from edge_bench.bench.runtimes import RUNTIMES, SAVED_MODEL, installed_version, why_not_installed
from edge_bench.bench.sandbox.launch import Access
from edge_bench.bench.system.memory import untimed_memory_limit
from edge_bench.bench.wording import size
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["ConvertibleModel", "open_convertible", "refuse_converted"]

ReplyType = TypeVar("ReplyType")
#: Suffixes of formats that models are converted to.
_RESULTS = (".tflite", ".onnx", PARAM)


@dataclass(frozen=True)
class ConvertibleModel:
    """A model that a converter process has loaded."""

    name: str
    preprocess: str | None  # name of the preprocessing that the model needs, if known
    parameters: int | None  # None: a SavedModel, whose parameters are unknown until it is converted
    no_classifier: str  # why a Keras model is not a classifier; empty if it is one, and for a SavedModel
    _worker: WorkerProcess
    _folder: Path  # folder for files that the two processes exchange
    _timeout: float  # seconds per request

    def convert(self, precision: str, calibration: Calibration | None = None, *, select_tf_ops: bool = False) -> bytes:
        """Return the .tflite bytes of one precision, with TensorFlow operators if ``select_tf_ops``.

        Raise EdgeBenchError if TensorFlow cannot convert the model.
        """
        file = self._folder / f"{precision}.tflite"
        path = None if calibration is None else self._saved("calibration.npy", calibration)
        return self._converted(Convert(precision=precision, calibration=path, file=file, select_tf_ops=select_tf_ops))

    def convert_graph(self, precision: str, examples: Mapping[str, npt.NDArray[Any]] | None = None) -> bytes:
        """Return the .tflite bytes of one precision, with the model's own names in the signature.

        ``examples`` maps input names to arrays [n, whole input], which set the ranges of int8. Raise EdgeBenchError if
        TensorFlow cannot convert the model.
        """
        file = self._folder / f"{precision}.tflite"
        paths = {
            name: self._saved(f"example-{number}.npy", values)
            for number, (name, values) in enumerate((examples or {}).items())
        }
        return self._converted(Convert(precision=precision, calibration=None, file=file, graph=True, examples=paths))

    def write_keras(self, folder: Path, *, graph: bool = False) -> Variant:
        """Write the original into a bundle's folder, which the converter process cannot access itself.

        With ``graph``, the variant has all inputs and outputs, otherwise one each, as a classifier.
        """
        file = self._folder / "original.keras"
        written = _ask(self._worker, WriteKeras(file=file, graph=graph), Written, self.name, self._timeout)
        specs = KerasSpecs(written.inputs, written.outputs, written.fixed_batch)
        return write_keras(folder, specs, lambda path: _move(file, path), graph=graph)

    def write_onnx(self, file: Path, examples: npt.NDArray[np.float32]) -> tuple[list[int], npt.NDArray[np.float32]]:
        """Write a Keras classifier to an .onnx file for ncnn, one example at a time.

        Return the shape of one example in the file, and the model's scores of ``examples`` [n, …], [n, classes]. Raise
        EdgeBenchError if tf2onnx cannot convert the model.
        """
        written, scores = self._folder / "model.onnx", self._folder / "scores.npy"
        request = WriteOnnx(file=written, examples=self._saved("examples.npy", examples), scores=scores)
        reply = _ask(self._worker, request, WrittenOnnx, self.name, self._timeout)
        _move(written, file)
        return reply.shape, open_npy(scores)

    def _saved(self, name: str, array: npt.NDArray[Any]) -> Path:
        np.save(self._folder / name, array, allow_pickle=False)
        return self._folder / name

    def _converted(self, request: Convert) -> bytes:
        _ask(self._worker, request, Converted, self.name, self._timeout)
        content = read_bounded(request.file, MAX_TABLES_BYTES)
        request.file.unlink()
        return content


def refuse_converted(name: str) -> None:
    """Raise BadInput for a file in a format that models are converted to, which has no layers to convert again."""
    suffix = Path(name).suffix
    if suffix in _RESULTS:
        raise BadInput(
            f"{name}: only Keras models and SavedModels can be converted, not {suffix} files",
            f"export the Keras model that the {suffix} file was made from, or measure the file with `edge-bench run`",
        )


@contextlib.contextmanager
def open_convertible(
    name: str,
    weights: str,
    timeout: float,
    *,
    signature: str = "",
    any_signature: bool = False,
    memory_limit: int | None = None,
) -> Iterator[ConvertibleModel]:
    """Load a keras.applications model, a .keras file or a SavedModel folder in a separate process.

    ``timeout`` is in seconds per request, ``memory_limit`` in bytes, by default the memory that this machine can spare.
    The function ``signature`` of a SavedModel is converted, by default ``serving_default`` or the only one. With
    ``any_signature`` all functions are converted. Raise BadInput if the model or function does not exist or cannot be
    loaded.
    """
    if installed_version(RUNTIMES["tensorflow"]) is None:
        raise why_not_installed(RUNTIMES["tensorflow"])
    path, application = Path(name), KERAS_APPLICATIONS.get(name)
    if application is None:
        if not path.exists():
            raise BadInput(
                f"{name}: neither a file nor a known model", f"known models: {', '.join(KERAS_APPLICATIONS)}"
            )
        if not (path / SAVED_MODEL).is_file() and (path.suffix not in (".keras", ".h5", ".hdf5") or not path.is_file()):
            raise BadInput(
                f"{path}: not a .keras file, .h5 file or SavedModel folder", "save it with model.save('model.keras')"
            )
        check_memory(path, memory_need(path), memory_limit)
    if signature and not (application is None and (path / SAVED_MODEL).is_file()):
        raise BadInput(f"--signature {signature[:80]}: {name} has no signatures", "omit --signature")
    label = recordable(name if application else path.resolve().name if path.is_dir() else path.stem)
    preprocess = application.preprocess if application else None
    with (
        tempfile.TemporaryDirectory() as folder,
        WorkerProcess.spawn(
            "edge_bench.app.conversion.converter_process",
            [],
            Reply,
            _access(name, weights, Path(folder)),
            untimed_memory_limit(memory_limit),
        ) as worker,
    ):
        request = Load(source=path, weights=weights, signature=signature, any_signature=any_signature)
        loaded = _ask(worker, request, Loaded, label, timeout)
        yield ConvertibleModel(
            label, preprocess, loaded.parameters, loaded.no_classifier, worker, Path(folder), timeout
        )


def _access(name: str, weights: str, scratch: Path) -> Access | None:
    """Return the file access of a converter process. One that downloads known weights loads no user files."""
    if name not in KERAS_APPLICATIONS:
        return Access([Path(name)], scratch)
    return None if weights == "imagenet" else Access([Path(weights)] if weights != "none" else [], scratch)


def _move(file: Path, to: Path) -> None:
    with open_regular_file(file) as source, to.open("wb") as target:
        shutil.copyfileobj(source, target)
    file.unlink()


def _ask(worker: WorkerProcess, request: Any, reply_type: type[ReplyType], name: str, timeout: float) -> ReplyType:
    try:
        reply = worker.ask(request, object, timeout)
    except WorkerFailed as cause:
        raise EdgeBenchError(f"{name}: {cause.failure.message}", cause.failure.remedy) from None
    if isinstance(reply, Refused):
        raise (BadInput if reply.bad_input else EdgeBenchError)(reply.problem, reply.remedy)
    if isinstance(reply, OutOfMemory):
        raise BadInput(
            f"{name}: it needs more memory than the limit of {size(reply.limit)}",
            "use a larger --memory-limit",
        )
    if not isinstance(reply, reply_type):
        raise EdgeBenchError(f"{name}: unexpected reply {type(reply).__name__} from the converter")
    return reply
