"""Messages between a benchmark and its workers: requests to a worker, and its replies (`protocol.py` lists all)."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr, NonNegativeInt, PositiveInt
from edge_bench.bench.records.delegate import Delegation
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.runtimes.scores import DEFAULT_THRESHOLD

__all__ = [
    "Describe",
    "Described",
    "Finish",
    "Finished",
    "Infer",
    "Inferred",
    "NotFinite",
    "Open",
    "OpenProbe",
    "Opened",
    "Predict",
    "Predicted",
    "Prepare",
    "Prepared",
    "ProbeOpened",
    "Problem",
    "Ready",
    "Refused",
    "Time",
    "Timed",
]


class Prepare(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to load the model and warm up."""

    configuration: Configuration
    file: Path
    images: Path  # .npy, uint8 [n, height, width, channels] or float32 [n, …]
    rows: list[int]
    preprocessing: Preprocessing
    input_shape: list[int] | None = None  # of one image in the model's own layout, if the file has open axes
    stateful: bool = False  # keep the model's state between invocations, for streams
    threshold: float = DEFAULT_THRESHOLD  # of a single score, as a real value: label 1 above it, else 0
    class_of_output: list[int] | None = None  # the returned label of each output; None: the output's index
    delegate_library: Path | None = None  # of the configuration's delegate


class Describe(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to load the model with its own batch size, describe its input and output, and end."""

    file: Path
    input_shape: list[int] | None = None


class OpenProbe(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to load the model for `Predict`, without a warm-up."""

    configuration: Configuration
    file: Path
    input_shape: list[int] | None = None  # of one example, if the file has open axes
    threshold: float = 0.5  # of a single score
    delegate_library: Path | None = None


class Predict(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request for the labels of images under a preprocessing, untimed."""

    images: Path  # .npy, as in `Prepare`
    rows: list[int]
    preprocessing: Preprocessing


class Time(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request for one trial of ``passes`` passes over all prepared images, or over a selection."""

    passes: int
    image_positions: list[int] | None = None  # indices in `Prepare.rows`; None for all


class Open(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to load the model for serving, and warm up."""

    configuration: Configuration
    file: Path
    preprocessing: Preprocessing
    image: list[int]  # shape of one image in a request
    dtype: str  # of images in a request: uint8 or float32
    input_shape: list[int] | None = None  # of one image for the model, if its file has open axes
    stateful: bool = False
    threshold: float = DEFAULT_THRESHOLD


class Infer(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to classify the images of a client."""

    form: Literal["raw", "json", "files", "base64"]  # pixels; pixels as JSON; image files; image files as JSON strings
    count: int
    data: bytes


class Finish(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to end; no more requests follow."""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The runtime's library is imported."""

    import_ns: NonNegativeInt


class Prepared(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The model is loaded and warmed up; times in nanoseconds."""

    load_ns: NonNegativeInt
    first_inference_ns: NonNegativeInt
    warm_up_ns: NonNegativeInt
    warm_up_invocations: NonNegativeInt
    memory_before_bytes: NonNegativeInt
    pass_ns: NonNegativeInt  # expected duration of a pass, estimated in the warm-up
    output: TensorSpec
    chunks: NonNegativeInt = 1  # parts in which a pass is timed, if its inputs are too large to be cached
    warnings: list[BoundedStr] = []  # notes on unusual times
    delegations: list[Delegation] = []


class Described(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Input and output of a model. An axis of size -1 is open."""

    input: TensorSpec
    output: TensorSpec
    fixed_batch: PositiveInt | None = None  # the only batch size that the file takes


class Timed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Times and predictions of one trial."""

    began_ns: NonNegativeInt  # on the machine's monotonic clock
    elapsed_ns: PositiveInt
    cpu_ns: NonNegativeInt  # CPU time of all the worker's threads
    latencies_ns: list[NonNegativeInt]  # one per invocation of the last pass
    # predicted in the last pass, [images]; UNCLASSIFIED_LABEL for an image with a score that is not finite
    labels: list[Annotated[int, msgspec.Meta(ge=0, lt=1 << 16)]]
    best: bytes = b""  # the five highest-scored classes, uint16 [images, 5], little-endian; empty for ≤ 5 classes
    tied: NonNegativeInt = 0  # images with more than one class at the highest score
    outside_unit: bool = False  # whether a single score was outside 0 to 1


class ProbeOpened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The model is loaded and ready for `Predict`."""


class Predicted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Predictions for each image of a `Predict`."""

    labels: bytes  # int32 [images], little-endian: the output with the highest score; -1 if a score is not finite
    outside_unit: bool  # whether the model has a single score that is not always within 0 to 1


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The model is loaded, warmed up and ready for `Infer`."""

    load_ns: int
    input: TensorSpec
    output: TensorSpec


class Inferred(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Predictions for each image of an `Infer`."""

    labels: bytes  # int64 [images], little-endian
    scores: bytes  # float32 [images, classes], little-endian
    classes: int
    decode_ns: int  # from the request's data to the model's inputs
    compute_ns: int  # the model's invocations only


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The data of an `Infer` is invalid; the worker continues."""

    message: str


class NotFinite(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The model returned scores that are not finite for images of an `Infer`; the worker continues."""

    images: list[NonNegativeInt]  # numbers of the images in the request


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The worker ends."""

    memory_peak_bytes: NonNegativeInt


class Problem(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The request failed; the worker ends."""

    kind: BoundedStr
    message: BoundedStr
    remedy: BoundedStr = ""
