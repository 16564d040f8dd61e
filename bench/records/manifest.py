"""The manifest of a bundle: what is in it and how it came to be."""

from typing import Annotated

import msgspec

from edge_bench.bench.io.npy import MAX_AXES
from edge_bench.bench.io.record_codec import (
    MOST,
    SCHEMA_VERSION,
    Count,
    Length,
    Names,
    Text,
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
    bytes: Count
    sha256: Text


class TensorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A model's input or output: real value = (stored - zero_point) × scale, where scale is not 0."""

    dtype: Text
    shape: Annotated[list[Annotated[int, msgspec.Meta(ge=-1, le=MOST)]], msgspec.Meta(max_length=MAX_AXES)]
    scale: float = 0.0
    zero_point: Annotated[int, msgspec.Meta(ge=-MOST, le=MOST)] = 0


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """An operator of a .tflite file and the version of it that the file asks a runtime for."""

    name: Text
    version: Count
    count: Count


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A precision of the model, in a file of its own."""

    name: Text
    file: Annotated[str, msgspec.Meta(max_length=1024)]
    precision: Text
    bytes: Count
    sha256: Text
    input: TensorSpec
    output: TensorSpec
    operators: Annotated[list[Operator], msgspec.Meta(max_length=100_000)] = []


class DatasetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The data that the model was trained and is tested on."""

    name: Text
    sha256: Text  # of the four arrays' bytes, in the order train images, train labels, test images, test labels
    classes: Names
    note: Text = ""  # shown in every table: say, that the data stands in for another


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """How many images went where."""

    train: Count
    validation: Count
    test: Count


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The model by name and size."""

    name: Text
    parameters: Count


class Preprocessing(msgspec.Struct, frozen=True, kw_only=True):
    """What turns a stored pixel (0 to 255, in RGB order) into the model's real-valued input: pixel × scale + offset.

    Scale and offset are one number, or one a channel in the order that the model takes them. What was done before, to
    make the pixels of files the stored ones, is in ``geometry``.
    """

    scale: float | Annotated[list[float], Length]
    offset: float | Annotated[list[float], Length]
    channel_order: Text = "rgb"  # or bgr
    name: Text = ""  # of the preset, where it is one
    geometry: Text = ""  # in words: how images were resized and cropped to the model's size


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a bundle and how it came to be."""

    schema_version: str = SCHEMA_VERSION
    created: Text  # UTC, ISO 8601
    dataset: DatasetInfo
    split: Split
    seed: int
    model: ModelInfo
    hyper_parameters: Annotated[dict[Text, int | float | Text], Length]
    preprocessing: Preprocessing
    versions: Annotated[dict[Text, Text], Length]
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
