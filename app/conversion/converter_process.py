"""Anyone's model in TensorFlow's hands, in a process of its own.

What a file makes Keras, HDF5 or the converter do to a process happens to this one; the command that started it goes
on, and says what happened. ``python -m edge_bench.app.conversion.converter_process READ_FD WRITE_FD
PARENT 0``; the parent's side is ``edge_bench.app.conversion.convertible``.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.interrupts import SIGNALS, die_with_parent
from edge_bench.bench.io.record_codec import BoundedStr, NonNegativeInt
from edge_bench.bench.records.manifest import Variant
from edge_bench.bench.worker.channel import Channel, ChannelClosed

__all__ = ["Convert", "Converted", "Load", "Loaded", "Refused", "Reply", "WriteKeras", "Written"]


class Load(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A well-known model by its name, a .keras file, or the folder of a SavedModel."""

    name: str
    weights: str  # of a well-known model: imagenet, none, or a file


class WriteKeras(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Write the Keras model as the original of the bundle in a folder."""

    folder: str


class Convert(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Convert to a precision, into a file; ``calibration`` is a .npy."""

    precision: str
    calibration: str | None
    file: str


class Loaded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The model is there."""

    parameters: NonNegativeInt | None  # None: a SavedModel, which nobody has counted


class Written(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The original is written."""

    variant: Variant


class Converted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The file is written."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What could not be done, as the error that the parent raises."""

    problem: BoundedStr
    remedy: BoundedStr
    bad_input: bool


Request = Load | WriteKeras | Convert
Reply = Loaded | Written | Converted | Refused


class _Model:
    """A Keras model in memory, or a SavedModel's folder."""

    def __init__(self, request: Load) -> None:
        from edge_bench.app.conversion.keras_applications import KERAS_APPLICATIONS, build_application

        path = Path(request.name)
        self.name, self.keras, self._folder = path.stem, None, None
        if request.name in KERAS_APPLICATIONS:
            self.name, self.keras = request.name, build_application(request.name, request.weights)
        elif path.is_dir():
            self.name, self._folder = path.resolve().name, path
        else:
            self.keras = _keras_model(path)

    def convert(self, request: Convert) -> None:
        """Writes the .tflite file. EdgeBenchError where TensorFlow cannot convert it."""
        from edge_bench.app.conversion.precisions import converted
        from edge_bench.bench.io.files import write_atomically
        from edge_bench.bench.io.npy import open_npy

        calibration = None if request.calibration is None else open_npy(Path(request.calibration))
        try:
            content = converted(self._converter, request.precision, calibration)
        except Exception as cause:  # the converter raises whatever its passes do
            reason = next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
            raise EdgeBenchError(f"{self.name} cannot be converted to {request.precision}: {reason[:200]}") from None
        write_atomically(Path(request.file), content)

    def _converter(self) -> Any:
        import tensorflow as tf

        if self._folder is not None:
            return tf.lite.TFLiteConverter.from_saved_model(str(self._folder))
        return tf.lite.TFLiteConverter.from_keras_model(self.keras)


def _keras_model(path: Path) -> Any:
    import keras

    from edge_bench.bench.formats.keras_archive import check_keras

    try:
        check_keras(path)
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as cause:  # Keras raises whatever its layers do
        reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        raise BadInput(f"{path}: Keras cannot load it: {reason[:200]}") from None
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise BadInput(
            f"{path}: the model has {len(model.inputs)} inputs and {len(model.outputs)} outputs",
            "edge-bench measures classifiers, with one of each",
        )
    return model


def _answered(model: _Model, request: Request) -> Reply:
    from edge_bench.app.conversion.bundle_files import write_keras

    match request:
        case WriteKeras(folder=folder):
            return Written(variant=write_keras(Path(folder), model.keras))
        case Convert():
            model.convert(request)
            return Converted()
        case Load():
            return Refused(problem="a model is loaded already", remedy="", bad_input=False)


def main(arguments: list[str]) -> int:
    """Loads one model, then answers requests until there are no more."""
    import signal

    from edge_bench.app.conversion.tensorflow_output import silence_tensorflow

    read_end, write_end, parent, _ = (int(argument) for argument in arguments)
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # the parent decides when this ends, and takes it along when it dies
    if parent:
        die_with_parent(parent)
    silence_tensorflow()
    channel = Channel(read_end, write_end, Request)
    model: _Model | None = None
    try:
        while True:
            request = channel.receive()
            try:
                if model is None:
                    model = _Model(request)
                    channel.send(Loaded(parameters=None if model.keras is None else int(model.keras.count_params())))
                else:
                    channel.send(_answered(model, request))
            except EdgeBenchError as cause:
                channel.send(Refused(problem=cause.problem, remedy=cause.remedy, bad_input=isinstance(cause, BadInput)))
    except ChannelClosed:
        return 0  # the parent is gone


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
