"""True boxes in YOLO's format: a text file for each image, with lines ``class x y width height``.

Centre, width and height are fractions of the image's sides (https://docs.ultralytics.com/datasets/detect). An image
without objects has an empty file or none.
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.box_labels.checks import check_boxes
from edge_bench.bench.dataset.box_labels.selection import masks_of_others, note_of_folders
from edge_bench.bench.dataset.listing.walk import is_left_by_programs
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.files import read_bounded, why_unreadable
from edge_bench.bench.io.names import recordable
from edge_bench.bench.tasks.detection.boxes import Category, GroundTruth, TrueBoxes
from edge_bench.bench.wording import abbreviate, counted

__all__ = ["NAME_FILES", "LabelFiles", "find_label_files", "read_yolo"]

#: Files in folders of labels that list names or images.
NAME_FILES = ("classes.txt", "names.txt", "obj.names", "data.yaml", "dataset.yaml")
_OTHERS = {*NAME_FILES, "train.txt", "val.txt", "test.txt", "readme.txt", "license.txt"}
_MAX_BYTES = 16 << 20
#: Label file of each image, and label files without an image.
_Found = tuple[list[Path | None], list[str]]
_MAX_CLASS = 65_534
_FORMAT = "write lines of: class x y width height, the last four as fractions of the image, 0 to 1"


class LabelFiles(NamedTuple):
    """The images of a folder and the label file of each, None for an image without one."""

    files: list[str]
    labels: list[Path | None]
    notes: list[str]


def read_yolo(
    labels: Sequence[Path | None], files: Sequence[str], sizes: npt.NDArray[np.int64], names: Sequence[str] | None
) -> GroundTruth:
    """Return the true boxes of images from their label files.

    labels: the file of each image, None for one without objects (`find_label_files`); files: names of the images for
    messages; sizes: width and height of each, [files, 2]; names: of the classes, if known. The categories are the
    classes, with their numbers as ids. Raise DatasetError for lines in another format and for invalid boxes.
    """
    images, rows, lines = list[int](), list[list[float]](), list[int]()
    for number, path in enumerate(labels):
        if path is not None:
            for line, row in _rows(path):
                images.append(number)
                rows.append(row)
                lines.append(line)

    def place(row: int) -> str:
        return f"{recordable(str(labels[images[row]]))}: line {lines[row]}"

    table = np.array(rows, np.float64).reshape(-1, 5)
    of_image = np.array(images, np.int64)
    classes = _classes(table[:, 0], names, place)
    sides = sizes[of_image].astype(np.float64)
    centres, half = table[:, 1:3] * sides, table[:, 3:5] * sides / 2
    corners = np.concatenate([centres - half, centres + half], axis=1)
    if np.nanmax(np.abs(table[:, 1:]), initial=0) > 2:
        worst = int(np.nanargmax(np.abs(table[:, 1:]).max(axis=1)))
        raise DatasetError(f"{place(worst)}: {table[worst, 1:].max():g} is not a fraction of the image's side", _FORMAT)
    check_boxes(corners, of_image, classes, sizes, place)
    ends = np.searchsorted(of_image, np.arange(1, len(files)))
    parts = (np.split(each, ends) for each in (corners, classes, np.zeros(len(rows), np.bool_)))
    count = len(names) if names is not None else int(classes.max(initial=-1)) + 1
    known = [recordable(name) for name in names] if names is not None else [f"class {each}" for each in range(count)]
    without = sum(path is None for path in labels)
    notes = [f"{counted(without, 'image')} without a label file: assumed to be without objects"] if without else []
    categories = tuple(Category(number, name) for number, name in enumerate(known))
    return GroundTruth(categories, tuple(TrueBoxes(*each) for each in zip(*parts, strict=True)), sizes, tuple(notes))


def find_label_files(folder: Path, files: Sequence[str], labels: Path | None = None) -> LabelFiles:
    """Return the label files of the images. Folders of masks are left out.

    files: relative to ``folder``. If the folder ``labels`` is given, labels are there, under the images' paths.
    Otherwise they are in the folder whose path has ``labels`` instead of ``images``, in a folder ``labels`` beside the
    images, or beside the images themselves.

    Raise DatasetError if there are no label files or in several of these places, or if some images lack labels while
    some label files lack images.
    """
    if labels is not None:
        found, unused = _in_folder(labels, files)
    else:
        places = [_existing([rule(folder / name) for name in files]) for rule in (_in_labels_folder, _below, _beside)]
        several = [each for each in places if any(each[0])]
        if len(several) != 1:
            raise _unclear(folder, [next(path.parent for path in each[0] if path) for each in several])
        found, unused = several[0]
    masks = masks_of_others(files, [path is not None for path in found])
    notes = note_of_folders(sorted({files[number].rpartition("/")[0] for number in masks}), len(masks))
    files = [name for number, name in enumerate(files) if number not in masks]
    found = [path for number, path in enumerate(found) if number not in masks]
    missing = [recordable(name) for name, path in zip(files, found, strict=True) if path is None]
    if missing and unused:
        raise DatasetError(
            f"{_shown(next(path.parent for path in found if path))}: {counted(len(missing), 'image')} without labels, "
            f"such as {missing[0]}, and {counted(len(unused), 'label file')} without images, such as {unused[0]}",
            "use the labels of these images, with an empty file for each image without objects",
        )
    uses = Counter(found)
    shared = [name for path, name in zip(found, files, strict=True) if path is not None and uses[path] > 1][:2]
    if len(shared) > 1:
        raise DatasetError(
            f"{folder}: {abbreviate([recordable(name) for name in shared])} have the same label file",
            "rename the images so that they differ in more than the suffix",
        )
    return LabelFiles(files, found, notes)


def _in_folder(labels: Path, files: Sequence[str]) -> _Found:
    if not labels.is_dir():
        raise DatasetError(f"{_shown(labels)}: no such folder", "give the folder of the label files with --labels")
    wanted = [labels / _after_images(name) for name in files]
    found, unused = _existing(wanted)
    if not any(found):
        raise DatasetError(
            f"{_shown(labels)}: no labels for these images, such as {_shown(wanted[0].with_suffix('.txt'))}",
            "use the labels of these images",
        )
    return found, unused


def _in_labels_folder(image: Path) -> Path:
    """Return the path with its last folder ``images`` renamed to ``labels``, like Ultralytics' ``img2label_paths``."""
    parts = image.absolute().parts
    last = max((number for number, part in enumerate(parts[:-1]) if part == "images"), default=None)
    if last is None:
        return image / "none"  # never exists, as no file can be below a file
    return Path(*parts[:last], "labels", *parts[last + 1 :])


def _below(image: Path) -> Path:
    return image.parent / "labels" / image.name


def _beside(image: Path) -> Path:
    return image


def _after_images(name: str) -> str:
    """Return the path below the last folder ``images``, or the whole path."""
    parts = name.split("/")
    last = max((number for number, part in enumerate(parts[:-1]) if part == "images"), default=-1)
    return "/".join(parts[last + 1 :])


def _existing(wanted: Sequence[Path]) -> _Found:
    """Return the label file for each path of an image, and the names of label files in these folders without an image.

    Names are compared with accents as one character (NFC), because systems write them in two ways.
    """
    folders = {path.parent: _label_files(path.parent) for path in dict.fromkeys(wanted)}
    found = [folders[path.parent].get(_key(path.name)) for path in wanted]
    used = {path for path in found if path is not None}
    unused = [path for files in folders.values() for path in files.values() if path not in used]
    return found, [_shown(path) for path in sorted(unused)]


def _label_files(folder: Path) -> dict[str, Path]:
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names only
    except OSError:
        return {}
    return {
        _key(name): folder / name
        for name in sorted(names)
        if name.endswith(".txt") and name.lower() not in _OTHERS and not is_left_by_programs(name)
    }


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", os.path.splitext(name)[0])  # noqa: PTH122


def _unclear(folder: Path, places: Sequence[Path]) -> DatasetError:
    if not places:
        return DatasetError(
            f"{folder}: no label files found beside the images, in its labels/ or in labels/ beside images/",
            "give the folder of the label files with --labels",
        )
    return DatasetError(
        f"{folder}: label files found in several folders: {abbreviate([_shown(each) for each in places])}",
        "choose one of them with --labels",
    )


def _shown(path: Path) -> str:
    return recordable(str(path))


def _rows(path: Path) -> list[tuple[int, list[float]]]:
    """Return number and values of each line that is not empty; raise DatasetError for invalid lines."""
    try:
        text = read_bounded(path, _MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DatasetError(f"{_shown(path)}: not a text file", _FORMAT) from None
    except (OSError, ValueError) as cause:
        raise DatasetError(f"{_shown(path)}: cannot be read: {why_unreadable(cause)}", _FORMAT) from None
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        cells = line.split()
        if not cells:
            continue
        if len(cells) != 5:
            hint = {6: " (with scores, they are predictions)"}.get(len(cells), "")
            hint = " (segmentation outlines are not supported)" if len(cells) > 6 else hint
            raise DatasetError(f"{_shown(path)}: line {number}: {counted(len(cells), 'value')}{hint}", _FORMAT)
        try:
            rows.append((number, [float(cell) for cell in cells]))
        except ValueError:
            raise DatasetError(f"{_shown(path)}: line {number}: not all values are numbers", _FORMAT) from None
    return rows


def _classes(
    values: npt.NDArray[np.float64], names: Sequence[str] | None, place: Callable[[int], str]
) -> npt.NDArray[np.int64]:
    whole = np.isfinite(values) & (values >= 0) & (values <= _MAX_CLASS) & (values % 1 == 0)
    if not whole.all():
        first = int(np.flatnonzero(~whole)[0])
        raise DatasetError(f"{place(first)}: {values[first]:g} is not a class number", _FORMAT)
    if names is not None and (values >= len(names)).any():
        first = int(np.flatnonzero(values >= len(names))[0])
        raise DatasetError(
            f"{place(first)}: class {values[first]:g}, but only {counted(len(names), 'class name')}, numbered from 0",
            "list the names of all classes",
        )
    return values.astype(np.int64)
