"""The process that loads and converts a foreign model with TensorFlow.

If the model crashes Keras, HDF5 or the converter, only this process ends, and its parent reports the error. Started as
``python -m edge_bench.app.conversion.converter_process READ_FD WRITE_FD PARENT MEMORY_LIMIT``. The parent's side is
``edge_bench.app.conversion.convertible``.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.interrupts import SIGNALS, die_with_parent
from edge_bench.bench.io.record_codec import BoundedStr, NonNegativeInt, PositiveInt
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.worker.channel import Channel, ChannelClosed
from edge_bench.bench.worker.limits import limit_memory

__all__ = ["Convert", "Converted", "Load", "Loaded", "OutOfMemory", "Refused", "Reply", "WriteKeras", "Written"]


class Load(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Load a keras.applications model, a .keras file or a SavedModel folder."""

    source: Path  # the name of the keras.applications model, or a path
    weights: str  # of a keras.applications model: imagenet, none, or a file
    classifier: bool = True  # whether to refuse several inputs or outputs


class WriteKeras(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Write the Keras model to a file."""

    file: Path


class Convert(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Convert the model to a .tflite file of one precision."""

    precision: str
    calibration: Path | None  # a .npy file, float32 [n, …]
    file: Path  # to write
    select_tf_ops: bool = False  # whether to use TensorFlow operators, which need the Flex delegate


class Loaded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The reply to ``Load``."""

    parameters: NonNegativeInt | None  # None: a SavedModel, whose parameters are unknown before its conversion


class Written(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The reply to ``WriteKeras``: the model's input and output."""

    input: TensorSpec
    output: TensorSpec
    fixed_batch: PositiveInt | None


class Converted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The reply to ``Convert``."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The reply to a request that failed. The parent raises it as an error."""

    problem: BoundedStr
    remedy: BoundedStr
    bad_input: bool  # whether the error is BadInput


class OutOfMemory(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The reply to a request that needs more memory than this process may allocate."""

    limit: NonNegativeInt  # bytes


Request = Load | WriteKeras | Convert
Reply = Loaded | Written | Converted | Refused | OutOfMemory


class _SourceModel:
    """A Keras model in memory, or the folder of a SavedModel."""

    def __init__(self, request: Load) -> None:
        from edge_bench.app.conversion.keras_applications import KERAS_APPLICATIONS, build_application

        path = request.source
        self.name, self.keras, self._folder = path.stem, None, None
        if str(path) in KERAS_APPLICATIONS:
            self.name, self.keras = path.name, build_application(path.name, request.weights)
        elif path.is_dir():
            self.name, self._folder = path.resolve().name, path
        else:
            self.keras = _load_keras(path, request.classifier)

    def convert(self, request: Convert) -> None:
        """Write the .tflite file. Raise EdgeBenchError if TensorFlow cannot convert the model."""
        from edge_bench.app.conversion.precisions import convert_to_precision
        from edge_bench.bench.io.npy import open_npy

        calibration = None if request.calibration is None else open_npy(request.calibration)
        try:
            content = convert_to_precision(
                lambda: self._converter(request.select_tf_ops), request.precision, calibration
            )
        except Exception as cause:  # the converter's passes raise any type
            _refuse_exhausted(cause)
            reason = next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
            raise EdgeBenchError(f"{self.name} cannot be converted to {request.precision}: {reason[:200]}") from None
        request.file.write_bytes(content)

    def _converter(self, select_tf_ops: bool) -> Any:
        import tensorflow as tf

        if self._folder is not None:
            converter = tf.lite.TFLiteConverter.from_saved_model(str(self._folder))
        else:
            converter = tf.lite.TFLiteConverter.from_keras_model(self.keras)
        if select_tf_ops:
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
            converter._experimental_lower_tensor_list_ops = False
        return converter


def _load_keras(path: Path, classifier: bool) -> Any:
    from edge_bench.bench.runtimes.keras_model import load_any_keras, load_keras
    from edge_bench.bench.runtimes.scores import class_count

    try:
        loaded = load_keras(path) if classifier else load_any_keras(path)
    except Exception as cause:  # Keras layers raise any type
        _refuse_exhausted(cause)
        reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        raise BadInput(f"{path}: Keras cannot load it: {reason[:200]}") from None
    if not classifier:
        return loaded
    try:
        class_count(TensorSpec(dtype="float32", shape=[-1 if size is None else size for size in loaded.output.shape]))
    except ValueError as cause:
        raise BadInput(f"{path}: {cause}", "edge-bench measures classifiers") from None
    return loaded.model


def _refuse_exhausted(cause: Exception) -> None:
    """Raise MemoryError if the error is one of those that Python, numpy and TensorFlow raise without memory."""
    if isinstance(cause, MemoryError) or type(cause).__name__ == "ResourceExhaustedError":
        raise MemoryError from None


def _handle(model: _SourceModel, request: Request) -> Reply:
    from edge_bench.app.conversion.bundle_files import keras_specs, save_keras

    match request:
        case WriteKeras(file=file):
            save_keras(file, model.keras)
            specs = keras_specs(model.keras)
            return Written(input=specs.input, output=specs.output, fixed_batch=specs.fixed_batch)
        case Convert():
            model.convert(request)
            return Converted()
        case Load():
            return Refused(problem="a model is loaded already", remedy="", bad_input=False)


def main(arguments: list[str]) -> int:
    """Load one model, then answer requests until the parent closes the pipe. Return the exit code."""
    import signal

    from edge_bench.app.conversion.tensorflow_output import silence_tensorflow

    read_end, write_end, parent, memory_limit = (int(argument) for argument in arguments)
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # only the parent ends this process, also by its own death
    if parent:
        die_with_parent(parent)
    limit_memory(memory_limit)
    silence_tensorflow()
    channel = Channel(read_end, write_end, Request)
    model: _SourceModel | None = None
    try:
        while True:
            request = channel.receive()
            try:
                if model is None:
                    model = _SourceModel(request)
                    channel.send(Loaded(parameters=None if model.keras is None else int(model.keras.count_params())))
                else:
                    channel.send(_handle(model, request))
            except EdgeBenchError as cause:
                channel.send(Refused(problem=cause.problem, remedy=cause.remedy, bad_input=isinstance(cause, BadInput)))
            except MemoryError:
                channel.send(OutOfMemory(limit=memory_limit))
    except ChannelClosed:
        return 0  # the parent closed the pipe or ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
