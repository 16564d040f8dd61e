"""The process that loads and converts an untrusted model with TensorFlow.

If the model crashes Keras, HDF5 or the converter, only this process ends and its parent reports the error. Started as
``python -m edge_bench.app.conversion.converter_process READ_FD WRITE_FD PARENT MEMORY_LIMIT``. The parent's side is
``edge_bench.app.conversion.convertible``.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from edge_bench.app.conversion.converter_messages import (
    Convert,
    Converted,
    Load,
    Loaded,
    OutOfMemory,
    Refused,
    Reply,
    Request,
    WriteKeras,
    WriteOnnx,
    Written,
    WrittenOnnx,
)
from edge_bench.app.conversion.precisions import MAIN_SIGNATURE, convert_graph, convert_to_precision, with_names
from edge_bench.app.conversion.tensorflow_output import why_not_converted
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.inputs.specs import names_shown
from edge_bench.bench.interrupts import SIGNALS, die_with_parent
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.tensorflow.importing import import_tensorflow
from edge_bench.bench.wording import counted
from edge_bench.bench.worker.channel import Channel, ChannelClosed
from edge_bench.bench.worker.limits import limit_memory

__all__ = ["Converter"]


class _SourceModel:
    """A Keras model in memory, or the folder of a SavedModel."""

    def __init__(self, request: Load) -> None:
        from edge_bench.app.conversion.keras_applications import KERAS_APPLICATIONS, build_application

        import_tensorflow()
        path = request.source
        self.name, self.keras, self._folder, self._signature = path.stem, None, None, request.signature
        self._exported: tempfile.TemporaryDirectory[str] | None = None  # SavedModel of the Keras model
        self._one_example = False  # whether that SavedModel accepts only one example at a time
        if str(path) in KERAS_APPLICATIONS:
            self.name, self.keras = path.name, build_application(path.name, request.weights)
        elif path.is_dir():
            self.name, self._folder = path.resolve().name, path
            if not request.any_signature:
                self._signature = _only_signature(path, request.signature)
        else:
            self.keras = _load_keras(path)

    def close(self) -> None:
        """Remove the temporary SavedModel, if there is one."""
        exported, self._exported = self._exported, None
        if exported is not None:
            exported.cleanup()

    def convert(self, request: Convert) -> None:
        """Write the .tflite file. Raise EdgeBenchError if TensorFlow cannot convert the model."""
        from edge_bench.bench.io.npy import open_npy

        calibration = None if request.calibration is None else open_npy(request.calibration)
        examples = {name: open_npy(path) for name, path in request.examples.items()}
        try:
            if request.graph:
                content = self._graph(request, examples)
            else:
                content = convert_to_precision(lambda: self._converter(request), request.precision, calibration)
        except BadInput:
            raise
        except Exception as cause:  # the converter's passes raise any type
            _refuse_exhausted(cause)
            reason = why_not_converted(str(cause)) or type(cause).__name__
            raise EdgeBenchError(f"{self.name} cannot be converted to {request.precision}: {reason}") from None
        request.file.write_bytes(content)

    def write_onnx(self, request: WriteOnnx) -> list[int]:
        """Write the .onnx file and the scores; return the shape of one example in the file.

        Raise EdgeBenchError if tf2onnx cannot convert the model.
        """
        import numpy as np

        from edge_bench.app.conversion.ncnn.onnx_export import keras_scores, write_onnx
        from edge_bench.bench.io.npy import open_npy

        try:
            shape = write_onnx(self.keras, request.file)
        except BadInput as cause:
            raise BadInput(f"{self.name}: {cause.problem}", cause.remedy) from None
        except Exception as cause:  # tf2onnx raises any type
            _refuse_exhausted(cause)
            reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
            raise EdgeBenchError(f"{self.name} cannot be converted by tf2onnx: {reason[:200]}") from None
        np.save(request.scores, keras_scores(self.keras, open_npy(request.examples)), allow_pickle=False)
        return shape

    def _graph(self, request: Convert, examples: Mapping[str, npt.NDArray[Any]]) -> bytes:
        """Return the .tflite bytes. Recurrent Keras layers need a fixed batch size, which their state depends on."""
        try:
            return convert_graph(lambda: self._converter(request), request.precision, examples)
        except Exception as cause:
            if self.keras is None or self._one_example or "TensorList" not in str(cause):
                raise
        self.close()
        self._one_example = True
        return convert_graph(lambda: self._converter(request), request.precision, examples)

    def _converter(self, request: Convert) -> Any:
        import tensorflow as tf

        if self._folder is not None:
            keys = [self._signature] if self._signature else None
            converter = tf.lite.TFLiteConverter.from_saved_model(str(self._folder), signature_keys=keys)
        elif request.graph:
            if self._exported is None:
                self._exported = with_names(self.keras, one_example=self._one_example)
            converter = tf.lite.TFLiteConverter.from_saved_model(self._exported.name, signature_keys=[MAIN_SIGNATURE])
        else:
            converter = tf.lite.TFLiteConverter.from_keras_model(self.keras)
        if request.select_tf_ops:
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
            converter._experimental_lower_tensor_list_ops = False
        return converter


def _only_signature(folder: Path, stated: str) -> str:
    """Return the signature of a SavedModel to export. Raise BadInput if there is none, or no main one among several."""
    import tensorflow as tf

    try:
        names = sorted(tf.saved_model.load(str(folder)).signatures)
    except Exception as cause:  # damaged files raise any type
        _refuse_exhausted(cause)
        reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        raise BadInput(f"{folder}: TensorFlow cannot load it: {reason[:200]}") from None
    shown = names_shown(names)
    if not names:
        raise BadInput(
            f"{folder}: it has no signature, so its inputs and outputs have no names",
            "save it with tf.saved_model.save(model, folder, signatures=…)",
        )
    if stated and stated not in names:
        raise BadInput(f"{folder}: no signature is called {stated[:80]!r}", f"use --signature with one of: {shown}")
    if stated or len(names) == 1:
        return stated or names[0]
    if MAIN_SIGNATURE in names:
        return MAIN_SIGNATURE
    raise BadInput(f"{folder}: it has {counted(len(names), 'signature')}: {shown}", "choose one with --signature")


def _load_keras(path: Path) -> Any:
    from edge_bench.bench.runtimes.tensorflow.keras_model import load_any_keras

    try:
        return load_any_keras(path)
    except Exception as cause:  # Keras layers raise any type
        _refuse_exhausted(cause)
        reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        raise BadInput(f"{path}: Keras cannot load it: {reason[:200]}") from None


def _loaded(model: _SourceModel) -> Loaded:
    if model.keras is None:
        return Loaded(parameters=None)
    return Loaded(parameters=int(model.keras.count_params()), no_classifier=_why_no_classifier(model.keras))


def _why_no_classifier(model: Any) -> str:
    """Return why a Keras model is no classifier of images or other real values; empty if it is one."""
    import keras

    from edge_bench.bench.runtimes.scores import class_count
    from edge_bench.bench.runtimes.tensorflow.keras_model import KerasModel

    try:
        only = KerasModel(model)
        class_count(TensorSpec(dtype="float32", shape=[-1 if size is None else size for size in only.output.shape]))
    except ValueError as cause:
        return str(cause)
    dtype = keras.backend.standardize_dtype(only.input.dtype)
    return "" if dtype.startswith("float") or dtype == "uint8" else f"its input is {dtype}, such as tokens"


def _refuse_exhausted(cause: Exception) -> None:
    """Raise MemoryError if the error is an out-of-memory error of Python, numpy or TensorFlow."""
    # if native code cannot allocate memory and returns without an exception, Python raises SystemError
    if isinstance(cause, MemoryError | SystemError) or type(cause).__name__ == "ResourceExhaustedError":
        raise MemoryError from None


def _handle(model: _SourceModel, request: Request) -> Reply:
    from edge_bench.app.conversion.bundle_files import keras_graph_specs, keras_specs, save_keras

    match request:
        case WriteKeras(file=file, graph=graph):
            save_keras(file, model.keras)
            specs = keras_graph_specs(model.keras) if graph else keras_specs(model.keras)
            return Written(inputs=specs.inputs, outputs=specs.outputs, fixed_batch=specs.fixed_batch)
        case Convert():
            model.convert(request)
            return Converted()
        case WriteOnnx():
            return WrittenOnnx(shape=model.write_onnx(request))
        case Load():
            return Refused(problem="a model is loaded already", remedy="", bad_input=False)


class Converter:
    """Loads a model, and converts it on request. ``memory_limit``: bytes that this process may allocate."""

    def __init__(self, memory_limit: int) -> None:
        self._memory_limit = memory_limit
        self._model: _SourceModel | None = None

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request, of which the first must be ``Load``. Errors are replies, too."""
        try:
            if self._model is not None:
                return _handle(self._model, request)
            if not isinstance(request, Load):
                return Refused(problem="no model is loaded", remedy="", bad_input=False)
            self._model = _SourceModel(request)
            return _loaded(self._model)
        except EdgeBenchError as cause:
            return Refused(problem=cause.problem, remedy=cause.remedy, bad_input=isinstance(cause, BadInput))
        except MemoryError:
            return OutOfMemory(limit=self._memory_limit)

    def close(self) -> None:
        """Remove the temporary files of the model."""
        if self._model is not None:
            self._model.close()


def main(arguments: list[str]) -> int:
    """Load one model, then answer requests until the parent closes the pipe. Return the exit code."""
    import signal

    read_end, write_end, parent, memory_limit = (int(argument) for argument in arguments)
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # only the parent ends this process; it also ends when the parent dies
    if parent:
        die_with_parent(parent)
    limit_memory(memory_limit)
    channel, converter = Channel(read_end, write_end, Request), Converter(memory_limit)
    try:
        while True:
            channel.send(converter.answer(channel.receive()))
    except ChannelClosed:
        converter.close()
        return 0  # the parent closed the pipe or ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
