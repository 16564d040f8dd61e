"""Which images there are and what they show: folders by class, labels files, class orders."""

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
_MAX_TEXT = 64 << 20  # 50,000 lines of ImageNet's are 2 MB


@dataclass(frozen=True)
class ImageList:
    """Image files in a fixed order: by class and name, or by name; never as the file system happens to give them."""

    folder: Path
    files: list[str]  # relative to the folder
    labels: npt.NDArray[np.int64] | None  # number in ``classes``; None where nobody says
    classes: list[str]
    notes: tuple[str, ...]


def list_images(
    folder: Path, labels: Path | None = None, classes: Path | None = None, label_names: Path | None = None
) -> ImageList:
    """Images below ``folder``: one folder a class, or all in one place with a labels file, or without labels.

    labels: a text file with a line an image, ``FILE LABEL`` or, in the order of the sorted file names, ``LABEL``
    classes: names of the model's outputs, a line each; without it classes are in alphabetical order
    label_names: names of the numbers in ``labels``, where these are not the model's own order (ILSVRC's ids, say)

    Raises DatasetError where there are no images, or the files do not fit each other.
    """
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    )
    if not found:
        raise DatasetError(f"{folder}: no images there", f"known are: {', '.join(sorted(SUFFIXES))}")
    others = sum(path.is_file() and path.suffix.lower() not in SUFFIXES for path in folder.rglob("*"))
    notes = [f"{others} files in {folder.name} are no images by their names, and are passed over"] if others else []
    names = read_names(classes) if classes else None
    if labels is not None:
        numbers, named = _from_labels_file(labels, found, names, read_names(label_names) if label_names else None)
        return ImageList(folder, found, numbers, named, tuple(notes))
    folders = sorted({name.split("/")[0] for name in found if "/" in name})
    if not folders:
        return ImageList(folder, found, None, names or [], tuple(notes))
    loose = [name for name in found if "/" not in name]
    if loose:
        raise DatasetError(
            f"{folder}: {len(loose)} images lie beside the folders of classes, {loose[0]} the first",
            "move them into the folder of their class, or give --labels FILE",
        )
    empty = sorted(
        path.name for path in folder.iterdir() if path.is_dir() and path.name not in folders and path.name[0] != "."
    )
    if empty:
        notes.append(f"no images in the folder of {_few(empty)}: the class counts, and is never right or wrong")
    order = names or sorted([*folders, *empty])
    unknown = [name for name in folders if name not in order]
    if unknown:
        raise DatasetError(f"{classes}: does not name the class {_few(unknown)}", f"{folder} has a folder of that name")
    place = {name: number for number, name in enumerate(order)}
    numbers = np.array([place[name.split("/")[0]] for name in found], np.int64)
    return ImageList(folder, found, numbers, order, tuple(notes))


def read_names(path: Path) -> list[str]:
    """A file with a name a line; what follows a name in ImageNet's synset files is its explanation."""
    lines = _lines(path)
    names = [line.split(maxsplit=1)[0] if re.match(r"n\d{8}\b", line) else line for line in lines]
    if len(set(names)) != len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise DatasetError(f"{path}: names {twice!r} twice", "a class has one name of its own")
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
        said = [line[0] for line in lines]
    else:
        said = _by_file(path, files, lines)
    if all(re.fullmatch(r"[0-9]{1,9}", label) for label in said):
        numbers = np.array([int(label) for label in said], np.int64)
        if label_names is not None:
            return _renumbered(path, numbers, label_names, names)
        most = max(int(numbers.max()) + 1, len(names or []))
        if most > np.iinfo(np.uint16).max:
            raise DatasetError(f"{path}: label {numbers.max()}: that many classes are not supported")
        return numbers, names or [str(number) for number in range(most)]
    order = names or sorted(set(said))
    place = {name: number for number, name in enumerate(order)}
    unknown = sorted({label for label in said if label not in place})
    if unknown:
        raise DatasetError(f"{path}: unknown class {_few(unknown)}", "--classes names all, one a line")
    return np.array([place[label] for label in said], np.int64), order


def _by_file(path: Path, files: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    table = {line[0]: line[1].strip() for line in lines if len(line) == 2}
    bare = {Path(name).name: label for name, label in table.items()}
    said = [table.get(file) or bare.get(Path(file).name) for file in files]
    missing = [file for file, label in zip(files, said, strict=True) if label is None]
    if missing:
        raise DatasetError(
            f"{path}: no label for {len(missing):,} of {len(files):,} images, {missing[0]} the first",
            "a line FILE LABEL for each image",
        )
    return [label for label in said if label is not None]


def _renumbered(
    path: Path, numbers: npt.NDArray[np.int64], label_names: list[str], names: list[str] | None
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Numbers from 1 (as ILSVRC's ids are) or from 0, through their names, to the model's order."""
    first = 0 if 0 in numbers else 1
    if int(numbers.max()) - first >= len(label_names):
        raise DatasetError(f"{path}: label {numbers.max()}, but --label-names has {len(label_names)} names")
    order = names or sorted(label_names)
    place = {name: number for number, name in enumerate(order)}
    unknown = sorted({label_names[number - first] for number in set(numbers.tolist())} - place.keys())
    if unknown:
        raise DatasetError(f"--classes does not name {_few(unknown)}, which --label-names does")
    return np.array([place[label_names[number - first]] for number in numbers.tolist()], np.int64), order


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


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
