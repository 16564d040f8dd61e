"""The manifest of a bundle: what is in it and how it came to be."""

from typing import Annotated

import msgspec

from edge_bench.bench.io.npy import MAX_AXES
from edge_bench.bench.io.record_codec import (
    MAX_INT64,
    SCHEMA_VERSION,
    BoundedNames,
    BoundedStr,
    Length,
    NonNegativeInt,
)

__all__ = [
    "DatasetInfo",
    "File",
    "History",
    "Manifest",
    "ModelInfo",
    "Operator",
    "Preprocessing",
    "Split",
    "TensorSpec",
    "Variant",
]
_MOST_LOSS = 1e30


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the bundle, by its path inside it."""

    file: Annotated[str, msgspec.Meta(max_length=1024)]
    bytes: NonNegativeInt
    sha256: BoundedStr


class TensorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A model's input or output: real value = (stored - zero_point) × scale, where scale is not 0."""

    dtype: BoundedStr
    shape: Annotated[list[Annotated[int, msgspec.Meta(ge=-1, le=MAX_INT64)]], msgspec.Meta(max_length=MAX_AXES)]
    scale: float = 0.0
    zero_point: Annotated[int, msgspec.Meta(ge=-MAX_INT64, le=MAX_INT64)] = 0


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """An operator of a .tflite file and the version of it that the file asks a runtime for."""

    name: BoundedStr
    version: NonNegativeInt
    count: NonNegativeInt


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A precision of the model, in a file of its own."""

    name: BoundedStr
    file: Annotated[str, msgspec.Meta(max_length=1024)]
    precision: BoundedStr
    bytes: NonNegativeInt
    sha256: BoundedStr
    input: TensorSpec
    output: TensorSpec
    operators: Annotated[list[Operator], msgspec.Meta(max_length=100_000)] = []


class DatasetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The data that the model was trained and is tested on."""

    name: BoundedStr
    sha256: BoundedStr  # of the four arrays' bytes, in the order train images, train labels, test images, test labels
    classes: BoundedNames
    note: BoundedStr = ""  # shown in every table: say, that the data stands in for another


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """How many images went where."""

    train: NonNegativeInt
    validation: NonNegativeInt
    test: NonNegativeInt


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The model by name and size."""

    name: BoundedStr
    parameters: NonNegativeInt


class Preprocessing(msgspec.Struct, frozen=True, kw_only=True):
    """What turns a stored pixel (0 to 255, in RGB order) into the model's real-valued input: pixel × scale + offset.

    Scale and offset are one number, or one a channel in the order that the model takes them. What was done before, to
    make the pixels of files the stored ones, is in ``geometry``.
    """

    scale: float | Annotated[list[float], Length]
    offset: float | Annotated[list[float], Length]
    channel_order: BoundedStr = "rgb"  # or bgr
    name: BoundedStr = ""  # of the preset, where it is one
    geometry: BoundedStr = ""  # in words: how images were resized and cropped to the model's size


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a bundle and how it came to be."""

    schema_version: str = SCHEMA_VERSION
    created: BoundedStr  # UTC, ISO 8601
    dataset: DatasetInfo
    split: Split
    seed: int
    model: ModelInfo
    hyper_parameters: Annotated[dict[BoundedStr, int | float | BoundedStr], Length]
    preprocessing: Preprocessing
    versions: Annotated[dict[BoundedStr, BoundedStr], Length]
    test_images: File
    test_labels: File | None = None  # None: inputs that nobody knows the right answers to
    history: File | None = None  # None: not trained here
    variants: Annotated[list[Variant], Length]


class History(msgspec.Struct, frozen=True, kw_only=True):
    """One value an epoch in each list."""

    schema_version: str = SCHEMA_VERSION
    loss: list[float] = []
    accuracy: list[float] = []
    val_loss: list[float] = []
    val_accuracy: list[float] = []
    seconds: list[float] = []
    workers: list[int] = []  # that trained together; empty in a history older than that

    @property
    def is_whole(self) -> bool:
        """Whether every list has a value an epoch, and one that such a thing can have."""
        lists = (self.loss, self.accuracy, self.val_loss, self.val_accuracy, self.seconds)
        return len({len(values) for values in lists}) == 1 and all(
            abs(value) <= _MOST_LOSS for values in lists for value in values
        )
