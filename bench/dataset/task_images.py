"""The images of a folder that have true values. Masks and other parts of a data set are excluded."""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge_bench.bench.dataset.box_labels.coco import images_in_coco
from edge_bench.bench.dataset.box_labels.selection import masks_of_others, note_of_folders
from edge_bench.bench.dataset.box_labels.yolo import find_label_files
from edge_bench.bench.dataset.listing.walk import SUFFIXES, find_images
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.files import sha256_of
from edge_bench.bench.io.names import recordable

__all__ = ["TaskImages", "labels_sha256", "list_task_images"]


@dataclass(frozen=True)
class TaskImages:
    """Images in a fixed order, relative to ``folder``; with YOLO's labels, also the label file of each image."""

    folder: Path
    files: list[str]
    notes: tuple[str, ...] = ()
    label_files: list[Path | None] | None = None

    @property
    def sha256(self) -> str:
        """A checksum of names and sizes, which is equal on all machines and does not read the images."""
        sizes = [(recordable(name), (self.folder / name).stat().st_size) for name in self.files]
        return hashlib.sha256(msgspec.json.encode(sizes)).hexdigest()


def list_task_images(folder: Path, labels: Path | None, task: str) -> TaskImages:
    """List the images below a folder for a task other than classify.

    labels: COCO's JSON, or a folder of YOLO's labels or of masks, or a file of values. Raise DatasetError if there are
    no images, or if the labels are for other images.
    """
    found = find_images(folder)
    if not found.files:
        raise DatasetError(
            f"{folder}: no images in this folder", f"supported suffixes are {', '.join(sorted(SUFFIXES))}"
        )
    notes = tuple(found.notes(folder.name or str(folder)))
    if task == "detect" and labels is not None:
        if labels.is_dir():
            own = find_label_files(folder, found.files, labels)
            return TaskImages(folder, own.files, (*notes, *own.notes), own.labels)
        files, others = images_in_coco(labels, folder, found.files)
        return TaskImages(folder, files, (*notes, *others))
    masks = _inside(folder, found.files, labels) if task == "segment" and labels is not None else set[int]()
    if not masks:
        with contextlib.suppress(DatasetError):  # folders of other images
            masks = masks_of_others(found.files, ["/" not in name for name in found.files])
    files = [name for number, name in enumerate(found.files) if number not in masks]
    if not files:
        raise DatasetError(f"{folder}: all its images are in {labels}", "give the folder of the images with --data")
    folders = sorted({found.files[number].rpartition("/")[0] for number in masks})
    return TaskImages(folder, files, (*notes, *note_of_folders(folders, len(masks))))


def _inside(folder: Path, files: Sequence[str], labels: Path) -> set[int]:
    """Return the files that are in the folder of the masks."""
    if not labels.is_dir() or not labels.resolve().is_relative_to(folder.resolve()):
        return set()
    below = labels.resolve()
    return {number for number, name in enumerate(files) if (folder / name).resolve().is_relative_to(below)}


def labels_sha256(labels: Path | None, files: Sequence[Path | None] | None = None) -> str:
    """Return a checksum of true values: of a file, of YOLO's label files, or of names and sizes of a folder's masks."""
    if labels is None:
        return ""
    if labels.is_file():
        return sha256_of(labels)
    if files is not None:
        contents = [None if path is None else sha256_of(path) for path in files]
        return hashlib.sha256(msgspec.json.encode(contents)).hexdigest()
    masks = [(recordable(name), (labels / name).stat().st_size) for name in find_images(labels, {".png"}).files]
    return hashlib.sha256(msgspec.json.encode(masks)).hexdigest()
