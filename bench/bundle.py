"""The Bundle: what the host hands to every machine, checked by checksum.

A folder with ``manifest.json``, ``model.keras``, ``history.json``, ``variants/*.tflite``, ``test/images.npy``,
``test/labels.npy`` and ``plots/``. The manifest is renamed into place after everything else is there, so a folder
without one is a training that has not finished, and is never mistaken for a bundle.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from bench.codec import SCHEMA_VERSION, decode_record
from bench.errors import BundleError
from bench.files import sha256_of

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
]

MANIFEST = "manifest.json"
TRAIN_AGAIN = "write it anew with `edge-bench train`, or copy it again"


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the bundle, by its path inside it."""

    file: str
    bytes: int
    sha256: str


class TensorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A model's input or output: real value = (stored - zero_point) × scale, where scale is not 0."""

    dtype: str
    shape: list[int]
    scale: float = 0.0
    zero_point: int = 0


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """An operator of a .tflite file and the version of it that the file asks a runtime for."""

    name: str
    version: int
    count: int


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A precision of the model, in a file of its own."""

    name: str
    file: str
    precision: str
    bytes: int
    sha256: str
    input: TensorSpec
    output: TensorSpec
    operators: list[Operator] = []


class DatasetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The data that the model was trained and is tested on."""

    name: str
    sha256: str  # of the four arrays' bytes, in the order train images, train labels, test images, test labels
    classes: list[str]
    note: str = ""  # shown in every table: say, that the data stands in for another


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """How many images went where."""

    train: int
    validation: int
    test: int


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The model by name and size."""

    name: str
    parameters: int


class Preprocessing(msgspec.Struct, frozen=True, kw_only=True):
    """What turns a stored pixel (0 to 255, in RGB order) into the model's real-valued input: pixel × scale + offset.

    Scale and offset are one number, or one a channel in the order that the model takes them. What was done before, to
    make the pixels of files the stored ones, is in ``geometry``.
    """

    scale: float | list[float]
    offset: float | list[float]
    channel_order: str = "rgb"  # or bgr
    name: str = ""  # of the preset, where it is one
    geometry: str = ""  # in words: how images were resized and cropped to the model's size


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a bundle and how it came to be."""

    schema_version: str = SCHEMA_VERSION
    created: str  # UTC, ISO 8601
    dataset: DatasetInfo
    split: Split
    seed: int
    model: ModelInfo
    hyper_parameters: dict[str, int | float | str]
    preprocessing: Preprocessing
    versions: dict[str, str]
    test_images: File
    test_labels: File | None = None  # None: inputs that nobody knows the right answers to
    history: File | None = None  # None: not trained here
    variants: list[Variant]


class History(msgspec.Struct, frozen=True, kw_only=True):
    """One value an epoch in each list."""

    schema_version: str = SCHEMA_VERSION
    loss: list[float] = []
    accuracy: list[float] = []
    val_loss: list[float] = []
    val_accuracy: list[float] = []
    seconds: list[float] = []
    workers: list[int] = []  # that trained together; empty in a history older than that


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
        manifest = decode_record(manifest_path, Manifest, BundleError, TRAIN_AGAIN)
        bundle = cls(folder, manifest, hashlib.sha256(manifest_path.read_bytes()).hexdigest())
        bundle.checked(manifest.test_images)
        if manifest.test_labels:
            bundle.checked(manifest.test_labels)
        bundle.test_set()
        return bundle

    def checked(self, entry: File | Variant) -> Path:
        """The path of a file that the manifest names, after its place, size and checksum have been checked."""
        path = self._inside(entry.file)
        if not path.is_file():
            raise BundleError(f"{path}: the manifest names it, but it is not there", TRAIN_AGAIN)
        size = path.stat().st_size
        if size != entry.bytes:
            raise BundleError(f"{path}: {size:,} bytes, the manifest says {entry.bytes:,}", TRAIN_AGAIN)
        if sha256_of(path) != entry.sha256:
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
        if entry is None:
            return images, None
        labels = self._array(entry, ("uint8", "uint16"))
        if images.ndim < 2 or labels.ndim != 1 or len(images) != len(labels) or len(labels) == 0:
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

    def _array(self, entry: File, kinds: tuple[str, ...]) -> npt.NDArray[Any]:
        path = self._inside(entry.file)
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as cause:
            raise BundleError(f"{path}: not an array: {cause}", TRAIN_AGAIN) from None
        if array.dtype.name not in kinds:
            raise BundleError(f"{path}: holds {array.dtype}; {' or '.join(kinds)} was expected", TRAIN_AGAIN)
        checked: npt.NDArray[Any] = array
        return checked

    def _inside(self, name: str) -> Path:
        relative = PurePosixPath(name)
        path = self.folder.joinpath(*relative.parts)
        if relative.is_absolute() or ".." in relative.parts or not path.resolve().is_relative_to(self.folder.resolve()):
            raise BundleError(
                f"{self.folder}: the manifest names {name!r}, outside the bundle", "do not use this bundle"
            )
        return path


def _how_to_get_one(folder: Path) -> str:
    if os.environ.get("EDGE_BENCH_IMAGE") == "edge":  # set in Dockerfile.edge: nothing there can train
        return (
            f"mount the volume or folder that holds one (docker run -v artifacts:{folder.parent} …), "
            "or build the image with one inside (make edge-image BUNDLE=…)"
        )
    return f"make one with `edge-bench train --bundle {folder}`, or name another folder"
