"""Messages between an export and its converter process: requests to the process, and its replies."""

from pathlib import Path

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr, NonNegativeInt, PositiveInt
from edge_bench.bench.records.manifest import TensorSpec

__all__ = [
    "Convert",
    "Converted",
    "Load",
    "Loaded",
    "OutOfMemory",
    "Refused",
    "Reply",
    "Request",
    "WriteKeras",
    "WriteOnnx",
    "Written",
    "WrittenOnnx",
]


class Load(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Load a keras.applications model, a .keras file or a SavedModel folder."""

    source: Path  # the name of the keras.applications model, or a path
    weights: str  # of a keras.applications model: imagenet, none, or a file
    signature: BoundedStr = ""  # named function of a SavedModel
    any_signature: bool = False  # whether to convert all of a SavedModel's signatures instead of one


class WriteKeras(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Write the Keras model to a file."""

    file: Path
    graph: bool = False  # whether to describe all inputs and outputs by name


class Convert(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Convert the model to a .tflite file of one precision."""

    precision: str
    calibration: Path | None  # for a classifier: a .npy file, float32 [n, …]
    file: Path  # file to write
    graph: bool = False  # whether inputs and outputs keep their names and types
    examples: dict[BoundedStr, Path] = {}  # for the inputs of a graph: .npy files, [n, whole input]
    select_tf_ops: bool = False  # whether to use TensorFlow operators, which need the Flex delegate


class WriteOnnx(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Write a Keras classifier to an .onnx file for ncnn, and its scores of some examples."""

    file: Path
    examples: Path  # .npy, float32 [n, …]
    scores: Path  # .npy to write, float32 [n, classes]


class Loaded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The reply to ``Load``."""

    parameters: NonNegativeInt | None  # None: a SavedModel, whose parameters are unknown until it is converted
    no_classifier: BoundedStr = ""  # why a Keras model is not a classifier; otherwise empty


class Written(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The reply to ``WriteKeras``: the model's inputs and outputs."""

    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    fixed_batch: PositiveInt | None


class Converted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The reply to ``Convert``."""


class WrittenOnnx(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The reply to ``WriteOnnx``."""

    shape: list[PositiveInt]  # of one example in the file


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The reply to a request that failed. The parent raises it as an error."""

    problem: BoundedStr
    remedy: BoundedStr
    bad_input: bool  # whether the error is BadInput


class OutOfMemory(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The reply to a request that needs more memory than this process may allocate."""

    limit: NonNegativeInt  # bytes


Request = Load | WriteKeras | Convert | WriteOnnx
Reply = Loaded | Written | Converted | WrittenOnnx | Refused | OutOfMemory
