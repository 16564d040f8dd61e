"""The manifest of a bundle: its files, and how they were made."""

from typing import Annotated

import msgspec

from edge_bench.bench.io.record_codec import (
    SCHEMA_VERSION,
    BoundedNames,
    BoundedStr,
    Length,
    NonNegativeInt,
    PositiveInt,
)
from edge_bench.bench.records.interpretation import Interpretation
from edge_bench.bench.records.outputs.decoding import Decoding
from edge_bench.bench.records.tensor_spec import TensorSpec

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
_MAX_VALUE = 1e30


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the bundle, by its path relative to the bundle's folder."""

    file: Annotated[str, msgspec.Meta(max_length=1024)]
    bytes: NonNegativeInt
    sha256: BoundedStr


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """An operator of a .tflite file, with the version that the file requires."""

    name: BoundedStr
    version: NonNegativeInt
    count: NonNegativeInt


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A precision of the model, with its file."""

    name: BoundedStr
    file: Annotated[str, msgspec.Meta(max_length=1024)]
    precision: BoundedStr
    bytes: NonNegativeInt
    sha256: BoundedStr
    input: TensorSpec
    output: TensorSpec
    operators: Annotated[list[Operator], msgspec.Meta(max_length=100_000)] = []
    fixed_batch: PositiveInt | None = None  # the only batch size that the file takes, if known; None: any
    inputs: Annotated[list[TensorSpec], Length] = []  # all of them, with their names; empty: only ``input``
    outputs: Annotated[list[TensorSpec], Length] = []  # all of them, with their names; empty: only ``output``
    signature: BoundedStr = ""  # the named function of the file that is measured; empty: its main one

    @property
    def all_inputs(self) -> list[TensorSpec]:
        """Every input, in the model's order."""
        return self.inputs or [self.input]

    @property
    def all_outputs(self) -> list[TensorSpec]:
        """Every output, in the model's order."""
        return self.outputs or [self.output]


class DatasetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The data set that the model was trained on and is tested on."""

    name: BoundedStr
    sha256: BoundedStr  # of the four arrays' bytes, in the order train images, train labels, test images, test labels
    classes: BoundedNames
    note: BoundedStr = ""  # shown in every table, for example that the data replaces another data set


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Number of images in each part of the data set."""

    train: NonNegativeInt
    validation: NonNegativeInt
    test: NonNegativeInt


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Name and size of the model."""

    name: BoundedStr
    parameters: NonNegativeInt


class Preprocessing(msgspec.Struct, frozen=True, kw_only=True):
    """The step from a stored pixel (0 to 255, in RGB order) to the model's real-valued input: pixel × scale + offset.

    Scale and offset are one number, or one per channel in the model's channel order. ``geometry`` describes the
    earlier step from image files to stored pixels.
    """

    scale: float | Annotated[list[float], Length]
    offset: float | Annotated[list[float], Length]
    channel_order: BoundedStr = "rgb"  # or bgr
    name: BoundedStr = ""  # of the preset, if one was used
    geometry: BoundedStr = ""  # how images were resized and cropped to the model's size, as text


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a bundle, and how they were made."""

    schema_version: str = SCHEMA_VERSION
    created: BoundedStr  # UTC, ISO 8601
    dataset: DatasetInfo
    split: Split
    seed: int
    model: ModelInfo
    hyper_parameters: Annotated[dict[BoundedStr, int | float | BoundedStr], Length]
    preprocessing: Preprocessing
    versions: Annotated[dict[BoundedStr, BoundedStr], Length]
    test_images: File | None = None  # None: ``test_inputs`` has the test set
    test_labels: File | None = None  # None: the true labels are unknown
    history: File | None = None  # None: not trained by edge-bench
    variants: Annotated[list[Variant], Length]
    interpretations: Annotated[list[Interpretation], Length] = []  # of data that does not come from a training
    threshold: float | None = None  # of a single score, if stated
    task: BoundedStr = "classify"
    test_inputs: Annotated[dict[BoundedStr, File], Length] = {}  # .npy of each input by its name, [examples, …]
    # how each variant's outputs are read; an index of an output is its index in ``Variant.all_outputs``
    decodings: Annotated[dict[BoundedStr, Decoding], Length] = {}
    truth: File | None = None  # encoded TaskTruth of tasks other than classify; None: unknown

    @property
    def is_graph(self) -> bool:
        """Whether the test set has an array for each input, instead of images and labels."""
        return bool(self.test_inputs)


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The training history; each list has one value per epoch."""

    schema_version: str = SCHEMA_VERSION
    loss: list[float] = []
    accuracy: list[float] = []
    val_loss: list[float] = []
    val_accuracy: list[float] = []
    seconds: list[float] = []  # duration of the epoch
    workers: list[int] = []  # number that trained together; empty in a history from before it was recorded

    @property
    def is_whole(self) -> bool:
        """Whether every list except ``workers`` has one value per epoch, and each value is plausible."""
        lists = (self.loss, self.accuracy, self.val_loss, self.val_accuracy, self.seconds)
        return len({len(values) for values in lists}) == 1 and all(
            abs(value) <= _MAX_VALUE for values in lists for value in values
        )
