"""What a benchmark and its workers say to each other: typed messages, each in a frame with its length before it."""

from typing import Annotated, Literal

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr, NonNegativeInt, PositiveInt
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec
from edge_bench.bench.records.run import Configuration

__all__ = [
    "Describe",
    "Described",
    "Finish",
    "Finished",
    "Infer",
    "Inferred",
    "Open",
    "Opened",
    "Prepare",
    "Prepared",
    "Problem",
    "Ready",
    "Refused",
    "Reply",
    "Time",
    "Timed",
]


class Prepare(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Load the model and warm up."""

    configuration: Configuration
    file: str
    images: str  # .npy, uint8 [n, height, width, channels] or float32 [n, …]
    rows: list[int]
    preprocessing: Preprocessing
    input_shape: list[int] | None = None  # of one image, where the file leaves it open


class Describe(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Load the model and say what it takes and gives; then end."""

    file: str
    input_shape: list[int] | None = None


class Time(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Make one trial of so many passes, over all prepared images or some of them, by their places."""

    passes: int
    image_positions: list[int] | None = None


class Open(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Load the model to serve it, and warm up."""

    configuration: Configuration
    file: str
    preprocessing: Preprocessing
    image: list[int]  # shape of one image as it is sent
    dtype: str  # of images as they are sent: uint8, or float32
    input_shape: list[int] | None = None  # of one image as the model takes it, where the file leaves it open


class Infer(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Classify the images that someone sent."""

    form: Literal["raw", "json", "files", "base64"]  # pixels; the same as JSON; image files; the same as JSON strings
    count: int
    data: bytes


class Finish(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """No more trials will be asked for."""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The runtime's library has been imported."""

    import_ns: NonNegativeInt


class Prepared(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The model is loaded and warm."""

    load_ns: NonNegativeInt
    first_inference_ns: NonNegativeInt
    warm_up_ns: NonNegativeInt
    warm_up_invocations: NonNegativeInt
    memory_before_bytes: NonNegativeInt
    pass_ns: NonNegativeInt  # how long a pass will take, as far as the warm-up tells
    output: TensorSpec
    chunks: NonNegativeInt = 1  # parts that a pass is timed in, because all its inputs at once would be too large


class Described(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a model takes and gives; an axis of size -1 is open."""

    input: TensorSpec
    output: TensorSpec


class Timed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One trial."""

    began_ns: NonNegativeInt  # by the machine's monotonic clock
    elapsed_ns: PositiveInt
    cpu_ns: NonNegativeInt  # processor time of all the worker's threads
    latencies_ns: list[NonNegativeInt]
    labels: list[Annotated[int, msgspec.Meta(ge=0, lt=1 << 16)]]
    best: bytes = b""  # uint16 [images, 5], little-endian: the outputs with the five highest scores; of more than five


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The model is loaded and warm, and answers."""

    load_ns: int
    input: TensorSpec
    output: TensorSpec


class Inferred(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What the model says of each image."""

    labels: bytes  # int64 [images], little-endian
    scores: bytes  # float32 [images, classes], little-endian
    classes: int
    decode_ns: int  # from what was sent to the model's inputs
    compute_ns: int  # the model's invocations alone


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What was sent is not what it was said to be; the worker goes on."""

    message: str


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The worker ends now."""

    memory_peak_bytes: NonNegativeInt


class Problem(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The worker could not do what was asked."""

    kind: BoundedStr
    message: BoundedStr
    remedy: BoundedStr = ""


Request = Prepare | Describe | Open | Time | Infer | Finish
Reply = Ready | Prepared | Described | Opened | Timed | Inferred | Refused | Finished | Problem
