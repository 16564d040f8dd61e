"""The Bundle: a model's variants and its test set, copied from the host to every machine and verified by checksums.

A folder with ``manifest.json``, ``model.keras``, ``history.json``, ``variants/*.tflite``, ``test/images.npy``,
``test/labels.npy`` and ``plots/``. With ncnn's files also ``variants/ncnn.param`` and ``.bin``. If a model is given its
inputs by name, the test set is ``test/input-N.npy`` for each of them, and ``test/truth.json``. The manifest is renamed
into place last. A folder without one is an unfinished training and never accepted as a bundle.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy.typing as npt

from edge_bench.bench.errors import BundleError
from edge_bench.bench.io.files import is_within, read_bounded, sha256_of, why_unreadable
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.io.record_codec import MAX_RUN_BYTES, decode_record, read_record
from edge_bench.bench.records.manifest import File, History, Manifest, Variant
from edge_bench.bench.records.ncnn_files import PARAM, sha256_of_all, weights_of
from edge_bench.bench.records.outputs.tensors import NUMBER_TYPES
from edge_bench.bench.records.outputs.truth import check_truth, decode_truth
from edge_bench.bench.records.outputs.union import TaskTruth
from edge_bench.bench.records.tensor_spec import has_batch_axis
from edge_bench.bench.wording import counted

__all__ = ["Bundle", "refuse_links"]

MANIFEST = "manifest.json"
#: Names of two variants: the trained model, and the one that the paper calls light.
ORIGINAL, LIGHT = "keras", "dynamic"
TRAIN_AGAIN = "create it again with `edge-bench train`, or copy it again"


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk whose manifest and test set have been checked."""

    folder: Path
    manifest: Manifest
    digest: str  # SHA-256 of manifest.json: identifies the bundle, since the manifest has all other checksums

    @classmethod
    def open(cls, folder: Path) -> "Bundle":
        """Read the manifest and verify the test set; raise BundleError if the folder is not a valid bundle.

        Each variant is verified when it is used (``checked``), so that a damaged variant does not stop the others.
        """
        manifest_path = folder / MANIFEST
        if not folder.exists():
            if folder.suffix:  # more likely a model file, misspelt
                raise BundleError(f"{folder}: no such bundle or model file", "check the path and the suffix")
            raise BundleError(f"{folder}: no such bundle", _how_to_get_one(folder))
        if not folder.is_dir():
            raise BundleError(f"{folder}: not a folder, as a bundle is", "use the folder that contains manifest.json")
        if not manifest_path.exists():
            if (folder / "training").is_dir():
                raise BundleError(
                    f"{folder}: its training has not finished",
                    f"continue it with `edge-bench train --bundle {folder} --resume`",
                )
            if (folder / "saved_model.pb").exists():
                raise BundleError(
                    f"{folder}: a SavedModel, not a bundle",
                    f"convert it: edge-bench export {folder} --bundle FOLDER, and use that bundle",
                )
            raise BundleError(f"{folder}: not a bundle: no {MANIFEST} in it", _how_to_get_one(folder))
        if not is_within(folder, manifest_path):
            raise BundleError(f"{manifest_path}: a link to outside the bundle", "do not use this bundle")
        manifest, digest = read_record(manifest_path, Manifest, BundleError, TRAIN_AGAIN)
        bundle = cls(folder, manifest, digest)
        bundle.check_test_set()
        return bundle

    def check_test_set(self) -> None:
        """Verify test images and labels, or test inputs and true values; raise BundleError if one is not valid."""
        if self.manifest.is_graph:
            self.test_inputs()
            self.truth()
            return
        for entry in (self.manifest.test_images, self.manifest.test_labels):
            if entry:
                self.checked(entry)
        self.test_set()

    def checked(self, entry: File | Variant) -> Path:
        """Return the path of a file in the manifest; raise BundleError if its location, size or checksum is wrong.

        Size and checksum of a .param file are those of it and its weights (`sha256_of_all`).
        """
        path = self._inside(entry.file)
        weights = self._inside(weights_of(PurePosixPath(entry.file))) if path.suffix == PARAM else None
        files = [path] if weights is None else [path, weights]
        for file in files:
            if not file.exists():
                raise BundleError(f"{file}: missing, but listed in the manifest", TRAIN_AGAIN)
            if not file.is_file():
                raise BundleError(f"{file}: listed in the manifest, but not a regular file", "do not use this bundle")
        size = sum(file.stat().st_size for file in files)
        if size != entry.bytes:
            raise BundleError(f"{path}: {size:,} bytes, but the manifest states {entry.bytes:,}", TRAIN_AGAIN)
        try:
            digest = sha256_of(path) if weights is None else sha256_of_all({file.name: file for file in files})
        except OSError as cause:
            raise BundleError(f"{path}: cannot be read: {why_unreadable(cause)}", TRAIN_AGAIN) from None
        if digest != entry.sha256:
            raise BundleError(f"{path}: altered: its checksum differs from the manifest", TRAIN_AGAIN)
        return path

    @property
    def variants(self) -> list[Variant]:
        """Every precision of the model, in the order of the manifest."""
        return self.manifest.variants

    def variant(self, name: str) -> Variant:
        """Return the variant of that name; raise BundleError with the names that exist."""
        for variant in self.manifest.variants:
            if variant.name == name:
                return variant
        names = ", ".join(variant.name for variant in self.manifest.variants)
        raise BundleError(f"the bundle has no variant {name!r}", f"it has: {names}")

    def test_set(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
        """Return test images, uint8 [n, height, width, channels], memory-mapped, and labels, uint8 or uint16 [n].

        The labels may be None. Inputs that are not images may have another shape after the first axis, and be float32.
        Raise BundleError if the arrays are not valid.
        """
        images = self._array(self.test_images, ("uint8", "float32"))
        entry = self.manifest.test_labels
        if images.ndim < 2 or not len(images):
            raise BundleError(f"{self.folder}: test images have the invalid shape {list(images.shape)}", TRAIN_AGAIN)
        if entry is None:
            return images, None
        labels = self._array(entry, ("uint8", "uint16"))
        if labels.ndim != 1 or len(images) != len(labels):
            raise BundleError(
                f"{self.folder}: test images {images.shape} and labels {labels.shape} do not match",
                TRAIN_AGAIN,
            )
        if int(labels.max()) >= len(self.manifest.dataset.classes):
            raise BundleError(
                f"{self.folder}: label {int(labels.max())}, but only {len(self.manifest.dataset.classes)} classes",
                TRAIN_AGAIN,
            )
        return images, labels

    @property
    def test_images(self) -> File:
        """The file of test images; raise BundleError if the test set has an array for each input instead."""
        if self.manifest.test_images is None:
            raise BundleError(f"{self.folder}: no test images in this bundle", "use a bundle of a classifier")
        return self.manifest.test_images

    def test_inputs(self) -> dict[str, Path]:
        """Return the .npy file of each input, [examples, …] of numbers, by the input's name; all have been checked.

        Raise BundleError if a file was altered, if arrays have different numbers of examples, or if a variant has other
        inputs.
        """
        paths = {name: self.checked(entry) for name, entry in self.manifest.test_inputs.items()}
        arrays = {name: self._array(entry, NUMBER_TYPES) for name, entry in self.manifest.test_inputs.items()}
        examples = self.manifest.split.test
        for name, array in arrays.items():
            if array.ndim < 1 or len(array) != examples or not array.size:
                raise BundleError(
                    f"{paths[name]}: shape {list(array.shape)}, but the manifest states {counted(examples, 'example')}",
                    TRAIN_AGAIN,
                )
        for variant in self.variants:
            if problem := _why_unfit(variant, arrays):
                raise BundleError(f"{self.folder}: {problem}", TRAIN_AGAIN)
        return paths

    def truth(self) -> TaskTruth | None:
        """Return the true values, None if they are unknown; raise BundleError if they are damaged."""
        if self.manifest.truth is None:
            return None
        path = self.checked(self.manifest.truth)
        try:
            truth = decode_truth(read_bounded(path, MAX_RUN_BYTES))
            check_truth(truth, self.manifest.split.test)
        except (OSError, ValueError) as cause:
            raise BundleError(f"{path}: invalid true values: {why_unreadable(cause)}", TRAIN_AGAIN) from None
        return truth

    def history(self) -> History | None:
        """Return the training history, None if the bundle has none; raise BundleError if it is damaged."""
        if self.manifest.history is None:
            return None
        path = self.checked(self.manifest.history)
        history = decode_record(path, History, BundleError, TRAIN_AGAIN)
        if not history.is_whole:
            raise BundleError(f"{path}: incomplete or inconsistent training history", TRAIN_AGAIN)
        return history

    def _array(self, entry: File, dtypes: Collection[str]) -> npt.NDArray[Any]:
        path = self._inside(entry.file)
        try:
            array = open_npy(path)
        except (OSError, ValueError) as cause:
            raise BundleError(f"{path}: not an array: {why_unreadable(cause)}", TRAIN_AGAIN) from None
        if array.dtype.name not in dtypes:
            raise BundleError(f"{path}: {array.dtype} instead of {' or '.join(sorted(dtypes))}", TRAIN_AGAIN)
        return array

    def _inside(self, name: str | PurePosixPath) -> Path:
        relative = PurePosixPath(name)
        path = self.folder.joinpath(*relative.parts)
        if relative.is_absolute() or ".." in relative.parts or not is_within(self.folder, path):
            raise BundleError(
                f"{self.folder}: the manifest lists {str(name)!r}, which is outside the bundle",
                "do not use this bundle",
            )
        return path


def _why_unfit(variant: Variant, arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return why a variant does not take these examples of its inputs; empty if it does."""
    specs = {each.name: each for each in variant.all_inputs}
    missing, unknown = sorted(specs.keys() - arrays.keys()), sorted(arrays.keys() - specs.keys())
    if missing:
        return f"no test input {missing[0][:80]!r} for {variant.name[:80]}"
    if unknown:
        return f"{variant.name[:80]} has no input {unknown[0][:80]!r}"
    for name, spec in specs.items():
        array = arrays[name]
        sizes = spec.shape[1:] if has_batch_axis(spec.shape) else spec.shape
        given = array.shape[1:]
        if len(sizes) != len(given) or any(size not in (-1, own) for size, own in zip(sizes, given, strict=True)):
            return f"test input {name[:80]!r} has shape {list(array.shape)}, but {variant.name[:80]} takes {spec.shape}"
        if array.dtype.name != spec.dtype and not spec.scale:
            return f"test input {name[:80]!r} is {array.dtype}, but {variant.name[:80]} takes {spec.dtype[:40]}"
    return ""


def refuse_links(folder: Path) -> None:
    """Raise BundleError if writing into the folder, which may be untrusted, would follow a link to outside it."""
    for part in ("training", "variants", "test", "plots"):
        if not is_within(folder, folder / part):
            raise BundleError(f"{folder / part}: a link to outside the bundle", "choose another --bundle")


def _how_to_get_one(folder: Path) -> str:
    if os.environ.get("EDGE_BENCH_IMAGE") == "edge":  # set in Dockerfile.edge, an image that cannot train
        return (
            f"mount the volume or folder that contains one (docker run -v artifacts:{folder.parent} …), "
            "or build the image with one inside (make edge-image BUNDLE=…)"
        )
    return f"create one with `edge-bench train --bundle {folder}`, or choose another folder"
