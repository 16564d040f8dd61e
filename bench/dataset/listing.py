"""Lists of images and their labels: folders by class, labels files and the order of classes."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.files import read_bounded

__all__ = ["ImageList", "list_images", "read_names"]

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".gif"}
_MAX_TEXT = 64 << 20  # bytes; ImageNet's 50,000 lines are 2 MB


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
        numbers, class_names = _from_labels_file(labels, files, names, read_names(label_names) if label_names else None)
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
        notes.append(f"no images in the folder of {_abbreviated(empty)}: the class counts, and is never right or wrong")
    order = names or sorted([*folders, *empty])
    unknown = [name for name in folders if name not in order]
    if unknown:
        missing = _abbreviated(unknown)
        raise DatasetError(f"{classes}: does not name the class {missing}", f"{folder} has a folder of that name")
    index = {name: number for number, name in enumerate(order)}
    numbers = np.array([index[name.split("/")[0]] for name in files], np.int64)
    return ImageList(folder, files, numbers, order, tuple(notes))


def read_names(path: Path) -> list[str]:
    """Read names, one per line; in ImageNet's synset files, drop the explanation after each name."""
    lines = _lines(path)
    names = [line.split(maxsplit=1)[0] if re.match(r"n\d{8}\b", line) else line for line in lines]
    if len(set(names)) != len(names):
        duplicate = Counter(names).most_common(1)[0][0]
        raise DatasetError(f"{path}: names {duplicate!r} twice", "a class has one name of its own")
    return names


def _from_labels_file(
    path: Path, files: Sequence[str], names: list[str] | None, label_names: list[str] | None
) -> tuple[npt.NDArray[np.int64], list[str]]:
    lines = [re.split(r"[,;\s]+", line, maxsplit=1) for line in _lines(path)]
    if all(len(line) == 1 for line in lines):
        if len(lines) != len(files):
            raise DatasetError(
                f"{path}: {len(lines):,} labels for {len(files):,} images",
                "one label a line in the order of the sorted file names, or lines of FILE LABEL",
            )
        file_labels = [line[0] for line in lines]
    else:
        file_labels = _labels_by_file(path, files, lines)
    if all(re.fullmatch(r"[0-9]{1,9}", label) for label in file_labels):
        numbers = np.array([int(label) for label in file_labels], np.int64)
        if label_names is not None:
            return _to_model_order(path, numbers, label_names, names)
        count = max(int(numbers.max()) + 1, len(names or []))
        if count > np.iinfo(np.uint16).max:
            raise DatasetError(f"{path}: label {numbers.max()}: that many classes are not supported")
        return numbers, names or [str(number) for number in range(count)]
    order = names or sorted(set(file_labels))
    index = {name: number for number, name in enumerate(order)}
    unknown = sorted({label for label in file_labels if label not in index})
    if unknown:
        raise DatasetError(f"{path}: unknown class {_abbreviated(unknown)}", "--classes names all, one a line")
    return np.array([index[label] for label in file_labels], np.int64), order


def _labels_by_file(path: Path, files: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    table = {line[0]: line[1].strip() for line in lines if len(line) == 2}
    by_name = {Path(name).name: label for name, label in table.items()}
    file_labels = [table.get(file) or by_name.get(Path(file).name) for file in files]
    missing = [file for file, label in zip(files, file_labels, strict=True) if label is None]
    if missing:
        raise DatasetError(
            f"{path}: no label for {len(missing):,} of {len(files):,} images, {missing[0]} the first",
            "a line FILE LABEL for each image",
        )
    return [label for label in file_labels if label is not None]


def _to_model_order(
    path: Path, numbers: npt.NDArray[np.int64], label_names: list[str], names: list[str] | None
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Map numbers from 1 (such as ILSVRC's ids) or from 0 by their names to the model's order of classes."""
    first = 0 if 0 in numbers else 1
    if int(numbers.max()) - first >= len(label_names):
        raise DatasetError(f"{path}: label {numbers.max()}, but --label-names has {len(label_names)} names")
    order = names or sorted(label_names)
    index = {name: number for number, name in enumerate(order)}
    unknown = sorted({label_names[number - first] for number in set(numbers.tolist())} - index.keys())
    if unknown:
        raise DatasetError(f"--classes does not name {_abbreviated(unknown)}, which --label-names does")
    return np.array([index[label_names[number - first]] for number in numbers.tolist()], np.int64), order


def _lines(path: Path) -> list[str]:
    try:
        text = read_bounded(path, _MAX_TEXT).decode("utf-8-sig")
    except (OSError, ValueError) as cause:
        reason = "not a text file" if isinstance(cause, UnicodeDecodeError) else getattr(cause, "strerror", cause)
        raise DatasetError(f"{path}: cannot be read: {reason}", "name a text file, a line an entry") from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise DatasetError(f"{path}: empty", "a line an entry")
    return lines


def _abbreviated(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
