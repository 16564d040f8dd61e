"""A folder of images, with one subfolder per class, as a data set for training."""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.cache import decoded_images
from edge_bench.bench.dataset.image_list import ImageList, list_images
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.names import recordable
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.preprocessing.presets import Geometry
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.manifest import DatasetInfo
from edge_bench.bench.wording import counted

__all__ = ["Parts", "image_folder"]

#: Shares of validation and test images per class if they have no folders.
VALIDATION_SHARE, TEST_SHARE = 0.1, 0.2
_PARTS = {"train": ("train", "training"), "validation": ("validation", "val", "valid"), "test": ("test", "testing")}
#: Maximum side in pixels: larger images are resized, because the models are made for small images.
LARGEST = 64

Part = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]  # images [n, size, size, 3], labels [n]
Parts = dict[str, Part]


def image_folder(folder: Path, progress: Progress) -> tuple[DatasetInfo, Parts]:
    """Return the info, and images uint8 [n, size, size, 3] and labels uint16 [n] of train, validation and test.

    The folders train, validation (or val) and test are used if they exist. Missing parts are sampled from the training
    images with a fixed seed. All images are resized to squares of the first one's shorter side, at most 64 pixels.
    Raise DatasetError if the parts have different classes or a class has too few images.
    """
    lists = {part: list_images(path) for part, path in _part_folders(folder).items()}
    train = lists["train"]
    for note in dict.fromkeys(note for part_list in lists.values() for note in part_list.notes):
        progress.say(note)
    if train.labels is None:
        raise DatasetError(f"{train.folder}: images without classes", "training needs one folder per class")
    for part, part_list in lists.items():
        if part_list.classes != train.classes:
            raise DatasetError(
                f"{part_list.folder}: its classes differ from those of {train.folder}",
                f"use the same subfolders in {part}",
            )
    size = _size(train)
    arrays = {part: _decode(image_list, size, progress) for part, image_list in lists.items()}
    for part, share in (("test", TEST_SHARE), ("validation", VALIDATION_SHARE)):
        if part not in arrays:
            arrays["train"], arrays[part] = _split(*arrays["train"], share, train.folder)
    digest = hashlib.sha256()
    for part in ("train", "validation", "test"):
        digest.update(arrays[part][0].tobytes() + arrays[part][1].tobytes())
    return DatasetInfo(name=recordable(folder.resolve().name), sha256=digest.hexdigest(), classes=train.classes), arrays


def _part_folders(folder: Path) -> dict[str, Path]:
    """Return the folders of the parts, or the folder itself for train if it has none."""
    by_name = {path.name.lower(): path for path in _subfolders(folder)}
    found = {
        part: next(by_name[name] for name in names if name in by_name)
        for part, names in _PARTS.items()
        if any(name in by_name for name in names)
    }
    if found and "train" not in found:
        raise DatasetError(
            f"{folder}: it has {' and '.join(path.name for path in found.values())}, but no training images",
            "add a folder train, or set --dataset to the folder with the classes",
        )
    return found or {"train": folder}


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError as cause:
        raise DatasetError(f"{folder}: cannot be read: {cause.strerror}") from None


def _size(image_list: ImageList) -> int:
    from edge_bench.bench.preprocessing.decode import image_size

    return min(*image_size(image_list.folder / image_list.files[0]), LARGEST)


def _decode(image_list: ImageList, size: int, progress: Progress) -> Part:
    if image_list.labels is None:
        raise DatasetError(f"{image_list.folder}: images without classes", "training needs one folder per class")
    decoded = decoded_images(image_list.folder, image_list.files, Geometry(size, size, 3), progress)
    pixels = open_npy(decoded.pixels)
    return np.array(pixels[decoded.readable]), image_list.labels[decoded.readable].astype(np.uint16)


def _split(
    images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint16], share: float, folder: Path
) -> tuple[Part, Part]:
    """Return the remaining images and a sample of the same share of every class. The seed is fixed."""
    generator, selected = np.random.default_rng(20), np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < 3:
            raise DatasetError(
                f"{folder}: class number {label} has {counted(len(members), 'image')}", "add images to this class"
            )
        selected[generator.permutation(members)[: max(1, round(share * len(members)))]] = True
    return (images[~selected], labels[~selected]), (images[selected], labels[selected])
