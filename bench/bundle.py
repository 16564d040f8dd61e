"""The Bundle: what the host hands to every machine, checked by checksum.

A folder with ``manifest.json``, ``model.keras``, ``history.json``, ``variants/*.tflite``, ``test/images.npy``,
``test/labels.npy`` and ``plots/``. The manifest is renamed into place after everything else is there, so a folder
without one is a training that has not finished, and is never mistaken for a bundle.
"""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import msgspec
import numpy.typing as npt

from bench.codec import MOST, SCHEMA_VERSION, Count, Length, Names, Text, decode_record, read_record
from bench.errors import BundleError
from bench.files import inside, sha256_of, why_unreadable
from bench.npy import MAX_AXES, open_npy

__all__ = [
    "Bundle",
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
    "refuse_links",
]

MANIFEST = "manifest.json"
_MOST_LOSS = 1e30
TRAIN_AGAIN = "write it anew with `edge-bench train`, or copy it again"


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


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk whose manifest and test set have been checked."""

    folder: Path
    manifest: Manifest
    digest: str  # SHA-256 of manifest.json: the bundle's identity, since the manifest holds all other checksums

    @classmethod
    def open(cls, folder: Path) -> "Bundle":
        """Reads the manifest and checks the test set against it.

        Raises BundleError with what is wrong and what to do. The variants are checked one by one, when they are
        used (``variant_file``), because one damaged variant need not stop the others.
        """
        manifest_path = folder / MANIFEST
        if not folder.exists():
            raise BundleError(f"{folder}: there is no bundle", _how_to_get_one(folder))
        if not folder.is_dir():
            raise BundleError(f"{folder}: a bundle is a folder", "name the folder that holds manifest.json")
        if not manifest_path.exists():
            if (folder / "training").is_dir():
                raise BundleError(
                    f"{folder}: its training has not finished",
                    f"go on with `edge-bench train --bundle {folder} --resume`",
                )
            raise BundleError(f"{folder}: not a bundle: it holds no {MANIFEST}", _how_to_get_one(folder))
        if not inside(folder, manifest_path):
            raise BundleError(f"{manifest_path}: a link to outside the bundle", "do not use this bundle")
        manifest, digest = read_record(manifest_path, Manifest, BundleError, TRAIN_AGAIN)
        bundle = cls(folder, manifest, digest)
        bundle.checked(manifest.test_images)
        if manifest.test_labels:
            bundle.checked(manifest.test_labels)
        bundle.test_set()
        return bundle

    def checked(self, entry: File | Variant) -> Path:
        """The path of a file that the manifest names, after its place, size and checksum have been checked."""
        path = self._inside(entry.file)
        if not path.exists():
            raise BundleError(f"{path}: the manifest names it, but it is not there", TRAIN_AGAIN)
        if not path.is_file():
            raise BundleError(f"{path}: the manifest names it, and it is no ordinary file", "do not use this bundle")
        size = path.stat().st_size
        if size != entry.bytes:
            raise BundleError(f"{path}: {size:,} bytes, the manifest says {entry.bytes:,}", TRAIN_AGAIN)
        try:
            digest = sha256_of(path)
        except OSError as cause:
            raise BundleError(f"{path}: cannot be read: {why_unreadable(cause)}", TRAIN_AGAIN) from None
        if digest != entry.sha256:
            raise BundleError(f"{path}: its checksum is not the manifest's; the file was altered", TRAIN_AGAIN)
        return path

    @property
    def variants(self) -> list[Variant]:
        """Every precision of the model, in the order they were written."""
        return self.manifest.variants

    def variant(self, name: str) -> Variant:
        """The variant of that name; BundleError lists what there is."""
        for variant in self.manifest.variants:
            if variant.name == name:
                return variant
        there = ", ".join(variant.name for variant in self.manifest.variants)
        raise BundleError(f"the bundle has no variant {name!r}", f"it has: {there}")

    def test_set(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
        """Test images, uint8 [n, height, width, channels], memory-mapped, and labels, uint8 or uint16 [n], or None.

        Inputs that are no images may have another shape after the first axis, and be float32.
        """
        images = self._array(self.manifest.test_images, ("uint8", "float32"))
        entry = self.manifest.test_labels
        if images.ndim < 2 or not len(images):
            raise BundleError(f"{self.folder}: test images of shape {list(images.shape)}", TRAIN_AGAIN)
        if entry is None:
            return images, None
        labels = self._array(entry, ("uint8", "uint16"))
        if labels.ndim != 1 or len(images) != len(labels):
            raise BundleError(
                f"{self.folder}: test images {images.shape} and labels {labels.shape} do not fit each other",
                TRAIN_AGAIN,
            )
        if int(labels.max()) >= len(self.manifest.dataset.classes):
            raise BundleError(
                f"{self.folder}: label {int(labels.max())}, but only {len(self.manifest.dataset.classes)} classes",
                TRAIN_AGAIN,
            )
        return images, labels

    def history(self) -> History | None:
        """How the training went; None where the model was not trained here. BundleError where that is damaged."""
        if self.manifest.history is None:
            return None
        path = self.checked(self.manifest.history)
        history = decode_record(path, History, BundleError, TRAIN_AGAIN)
        if not history.is_whole:
            raise BundleError(f"{path}: not a whole history: its values do not fit each other", TRAIN_AGAIN)
        return history

    def _array(self, entry: File, kinds: tuple[str, ...]) -> npt.NDArray[Any]:
        path = self._inside(entry.file)
        try:
            array = open_npy(path)
        except (OSError, ValueError) as cause:
            raise BundleError(f"{path}: not an array: {why_unreadable(cause)}", TRAIN_AGAIN) from None
        if array.dtype.name not in kinds:
            raise BundleError(f"{path}: holds {array.dtype}; {' or '.join(kinds)} was expected", TRAIN_AGAIN)
        checked: npt.NDArray[Any] = array
        return checked

    def _inside(self, name: str) -> Path:
        relative = PurePosixPath(name)
        path = self.folder.joinpath(*relative.parts)
        if relative.is_absolute() or ".." in relative.parts or not inside(self.folder, path):
            raise BundleError(
                f"{self.folder}: the manifest names {name!r}, outside the bundle", "do not use this bundle"
            )
        return path


def refuse_links(folder: Path) -> None:
    """Before anything is written into a folder that may be of others: BundleError where that would go elsewhere."""
    for part in ("training", "variants", "test", "plots"):
        if not inside(folder, folder / part):
            raise BundleError(f"{folder / part}: a link to outside the bundle", "name another --bundle")


def _how_to_get_one(folder: Path) -> str:
    if os.environ.get("EDGE_BENCH_IMAGE") == "edge":  # set in Dockerfile.edge: nothing there can train
        return (
            f"mount the volume or folder that holds one (docker run -v artifacts:{folder.parent} …), "
            "or build the image with one inside (make edge-image BUNDLE=…)"
        )
    return f"make one with `edge-bench train --bundle {folder}`, or name another folder"
