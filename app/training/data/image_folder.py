"""Anyone's images as a data set to train on: a folder with one folder a class."""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.cache import decoded_images
from edge_bench.bench.dataset.listing import ImageList, list_images
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.preprocessing.presets import Geometry
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.manifest import DatasetInfo

__all__ = ["Parts", "image_folder"]

#: Where there are no folders for them: the shares of validation and test images, of every class.
VALIDATION_SHARE, TEST_SHARE = 0.1, 0.2
_PARTS = {"train": ("train", "training"), "validation": ("validation", "val", "valid"), "test": ("test", "testing")}
#: Small images: what the models here are for. Larger ones are resized to this.
LARGEST = 64

Parts = dict[str, tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]]


def image_folder(folder: Path, progress: Progress) -> tuple[DatasetInfo, Parts]:
    """Images uint8 [n, size, size, 3] and labels of train, validation and test.

    Folders train, validation (or val) and test are taken as they are; what is missing of them is drawn from the
    training images, by a fixed seed. Images become squares of the first one's shorter side, 64 pixels at most.
    DatasetError where the parts have different classes or a class has too few images.
    """
    found = {
        part: next((folder / name for name in names if (folder / name).is_dir()), None)
        for part, names in _PARTS.items()
    }
    lists = {part: list_images(place) for part, place in found.items() if place} if found["train"] else {}
    lists = lists or {"train": list_images(folder)}
    train = lists["train"]
    if train.labels is None:
        raise DatasetError(f"{train.folder}: images without classes", "training needs one folder a class")
    for part, other in lists.items():
        if other.classes != train.classes:
            raise DatasetError(
                f"{other.folder}: its classes are not those of {train.folder}", f"give {part} the same folders"
            )
    size = _size(train)
    arrays = {part: _decoded(listed, size, progress) for part, listed in lists.items()}
    for part, share in (("test", TEST_SHARE), ("validation", VALIDATION_SHARE)):
        if part not in arrays:
            arrays["train"], arrays[part] = _split(*arrays["train"], share, train.folder)
    digest = hashlib.sha256()
    for part in ("train", "validation", "test"):
        digest.update(arrays[part][0].tobytes() + arrays[part][1].tobytes())
    return DatasetInfo(name=folder.resolve().name, sha256=digest.hexdigest(), classes=train.classes), arrays


def _size(listed: ImageList) -> int:
    from edge_bench.bench.preprocessing.decode import image_size

    return min(*image_size(listed.folder / listed.files[0]), LARGEST)


def _decoded(listed: ImageList, size: int, progress: Progress) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]:
    if listed.labels is None:
        raise DatasetError(f"{listed.folder}: images without classes", "training needs one folder a class")
    decoded = decoded_images(listed.folder, listed.files, Geometry(size, size, 3), progress)
    pixels = open_npy(decoded.pixels)
    return np.array(pixels[decoded.kept]), listed.labels[decoded.kept].astype(np.uint16)


def _split(
    images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint16], share: float, folder: Path
) -> tuple[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]], tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]]:
    """The rest and an even share of every class; always the same draw."""
    generator, taken = np.random.default_rng(20), np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < 3:
            raise DatasetError(f"{folder}: class number {label} has {len(members)} images", "a class needs more")
        taken[generator.permutation(members)[: max(1, round(share * len(members)))]] = True
    return (images[~taken], labels[~taken]), (images[taken], labels[taken])
