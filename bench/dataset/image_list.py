"""Lists of images and their labels: folders by class, or a label file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.label_files import abbreviate, labels_from_file, read_names
from edge_bench.bench.errors import DatasetError

__all__ = ["ImageList", "list_images"]

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".gif"}


@dataclass(frozen=True)
class ImageList:
    """Image files in a fixed order: by class and name, or by name; independent of the file system's order."""

    folder: Path
    files: list[str]  # relative to the folder
    labels: npt.NDArray[np.int64] | None  # indices in ``classes``; None if there are no labels
    classes: list[str]
    notes: tuple[str, ...]


def list_images(
    folder: Path, labels: Path | None = None, classes: Path | None = None, label_names: Path | None = None
) -> ImageList:
    """List the images below ``folder``: one subfolder per class, with a labels file, or without labels.

    labels: a text file with one line per image, ``FILE LABEL`` or, in the order of the sorted file names, ``LABEL``
    classes: names of the model's outputs, one per line; by default the classes are in alphabetical order
    label_names: names of the numbers in ``labels``, if they are not in the model's order (for example ILSVRC's ids)

    Raise DatasetError if there are no images, or if the files do not match each other.
    """
    files = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    )
    if not files:
        raise DatasetError(f"{folder}: no images there", f"known are: {', '.join(sorted(SUFFIXES))}")
    skipped = sum(path.is_file() and path.suffix.lower() not in SUFFIXES for path in folder.rglob("*"))
    notes = [f"{skipped} files in {folder.name} are no images by their names, and are passed over"] if skipped else []
    names = read_names(classes) if classes else None
    if labels is not None:
        numbers, class_names = labels_from_file(labels, files, names, read_names(label_names) if label_names else None)
        return ImageList(folder, files, numbers, class_names, tuple(notes))
    folders = sorted({name.split("/")[0] for name in files if "/" in name})
    if not folders:
        return ImageList(folder, files, None, names or [], tuple(notes))
    outside = [name for name in files if "/" not in name]
    if outside:
        raise DatasetError(
            f"{folder}: {len(outside)} images lie beside the folders of classes, {outside[0]} the first",
            "move them into the folder of their class, or give --labels FILE",
        )
    empty = sorted(
        path.name for path in folder.iterdir() if path.is_dir() and path.name not in folders and path.name[0] != "."
    )
    if empty:
        notes.append(f"no images in the folder of {abbreviate(empty)}: the class counts, and is never right or wrong")
    order = names or sorted([*folders, *empty])
    unknown = [name for name in folders if name not in order]
    if unknown:
        missing = abbreviate(unknown)
        raise DatasetError(f"{classes}: does not name the class {missing}", f"{folder} has a folder of that name")
    index = {name: number for number, name in enumerate(order)}
    numbers = np.array([index[name.split("/")[0]] for name in files], np.int64)
    return ImageList(folder, files, numbers, order, tuple(notes))
