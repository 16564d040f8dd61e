"""Labels files and class lists: the label of each image as a number, and the output of each class name."""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.listing.class_names import (
    MAX_LABEL,
    first_number,
    match_names,
    output_names,
    short_name,
)
from edge_bench.bench.dataset.listing.columns import Labelled, is_label_heading, labels_by_file
from edge_bench.bench.dataset.listing.text import read_lines, unquoted
from edge_bench.bench.dataset.listing.walk import SUFFIXES
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.names import recordable
from edge_bench.bench.wording import counted

__all__ = ["ClassList", "FileLabels", "index_names", "labels_from_file", "output_names", "read_names"]

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class ClassList:
    """The lines of the file named by ``--classes``."""

    source: str
    lines: list[str]

    @classmethod
    def read(cls, path: Path) -> "ClassList":
        """Read the file without lines that begin with ``# ``; raise DatasetError if it is not text."""
        return cls(str(path), [line for line in read_lines(path) if not line.startswith("# ")])

    @property
    def names(self) -> list[str]:
        """Names of the outputs; raise DatasetError if the lines contradict each other."""
        return [recordable(short_name(name)) for name in output_names(self.source, self.lines)]


@dataclass(frozen=True)
class FileLabels:
    """Labels read from a file; fields as in `ImageList`."""

    labels: npt.NDArray[np.int64]
    classes: list[str]
    order: str
    notes: list[str]


def read_names(path: Path) -> list[str]:
    """Return the names of the outputs in a class list, one per line; see `output_names`.

    For ImageNet's synsets, return only the id. Raise DatasetError if the file is not such a list.
    """
    return ClassList.read(path).names


def index_names(source: str, names: Sequence[str], wanted: Sequence[str]) -> dict[str, int]:
    """Return the index of each wanted class name in a list of the model's outputs, one line per output.

    A line may also be a number and a name, or an ImageNet synset with its description. See `match_names` for the
    comparison of names. Raise DatasetError, naming ``source``, if a wanted name is missing or ambiguous.
    """
    return match_names(source, names, wanted)[0]


def labels_from_file(
    path: Path,
    folder: Path,
    files: Sequence[str],
    classes: ClassList | None,
    label_names: ClassList | None,
    label_column: str | None = None,
) -> FileLabels:
    """Read the labels of ``files`` in ``folder``: ``FILE LABEL`` or a table, or ``LABEL`` in the order of the files.

    classes: names of the model's outputs, if known; label_names: names of the file's numbers. Raise DatasetError if
    labels are missing, unknown, ambiguous or out of range.
    """
    lines = read_lines(path)
    known = classes is not None
    found = labels_by_file(path, lines, folder, files, label_column, names_known=known) or _by_order(path, lines, files)
    numbers = _as_numbers(path, found)
    if numbers is None:
        return _by_own_name(path, found, classes)
    if label_names is None:
        return FileLabels(numbers, classes.names if classes else [], "numbers", found.notes)
    texts, note = _named(path, numbers, label_names)
    everything = label_names.names
    if classes is None and len(set(everything)) < len(everything):
        repeated = next(name for name in everything if everything.count(name) > 1)
        raise DatasetError(
            f"{label_names.source}: {repeated} occurs on several lines, so the model's order of classes is unknown",
            "list the names of the model's outputs with --classes",
        )
    return _by_name(texts, sorted(everything), classes, [*found.notes, *note])


def _by_own_name(path: Path, found: Labelled, classes: ClassList | None) -> FileLabels:
    """Return labels that are names; raise DatasetError if most are numbers, since the others may be mistakes."""
    names = sorted(set(found.labels))
    numbers = sum(_is_number(name) for name in names)
    if 2 * numbers < len(names):
        return _by_name(found.labels, names, classes, found.notes)
    if classes is not None:
        with contextlib.suppress(DatasetError):
            return _by_name(found.labels, names, classes, found.notes)
    first = next(n for n, label in enumerate(found.labels) if not _is_number(label))
    raise DatasetError(
        f"{path}: line {found.lines[first]}: label {found.labels[first][:30]} is not a number, but {numbers:,} of "
        f"{len(names):,} different labels are",
        "correct it, or remove images without a class; if all labels are names, list them with --classes",
    )


def _by_name(texts: Sequence[str], names: Sequence[str], classes: ClassList | None, notes: list[str]) -> FileLabels:
    """Return labels as indices of the classes: the outputs in ``classes`` if stated, otherwise ``names``."""
    if classes is None:
        order, shown, index = "alphabetical", [recordable(name) for name in names], {n: i for i, n in enumerate(names)}
    else:
        index, shown = match_names(classes.source, classes.lines, sorted(set(texts)))
        order = "stated"
    if len(shown) > MAX_LABEL + 1:
        raise DatasetError(f"{counted(len(shown), 'class')}: at most {MAX_LABEL + 1:,} are supported")
    return FileLabels(np.array([index[text] for text in texts], np.int64), shown, order, notes)


def _by_order(path: Path, lines: Sequence[str], files: Sequence[str]) -> Labelled:
    """Return one label per line, in the order of the sorted file names."""
    numbered = [(number, unquoted(line)) for number, line in enumerate(lines, 1) if line]
    if len(numbered) == len(files) + 1 and is_label_heading(numbered[0][1]):
        numbered = numbered[1:]
    labels = [label for _, label in numbered]
    names_files = any(Path(part).suffix.lower() in SUFFIXES for label in labels for part in re.split(r"[\s,;]+", label))
    several = any(re.search(r"[\t,;]|\s[+-]?[0-9.]+$", label) for label in labels)
    if names_files or several:
        raise DatasetError(
            f"{path}: no label for any of the {len(files):,} images, such as {files[0]}",
            "write a line FILE LABEL for each image, with the image's path in the folder",
        )
    if len(labels) != len(files):
        raise DatasetError(
            f"{path}: {counted(len(labels), 'label')} for {counted(len(files), 'image')}",
            "write one label per line in the order of the sorted file names, or lines of FILE LABEL",
        )
    found = Labelled(labels, [number for number, _ in numbered], [])
    _refuse_two_orders(path, files, found)
    return found


def _refuse_two_orders(path: Path, files: Sequence[str], found: Labelled) -> None:
    """Raise DatasetError if labels by line would differ if the files were sorted by number, 2 before 10."""
    counting = sorted(files, key=_natural_key)
    if dict(zip(files, found.labels, strict=True)) == dict(zip(counting, found.labels, strict=True)):
        return
    first = next(n for n, (one, other) in enumerate(zip(files, counting, strict=True)) if one != other)
    raise DatasetError(
        f"{path}: line {found.lines[first]} is the label of {files[first]} if the files are sorted alphabetically, "
        f"but of {counting[first]} if they are sorted by number",
        "write lines of FILE LABEL, or rename the images with leading zeros",
    )


def _natural_key(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts names by the numbers in them."""
    return [(int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in re.split(r"(\d+)", name)]


def _as_numbers(path: Path, found: Labelled) -> npt.NDArray[np.int64] | None:
    """Return the labels as numbers, int64 [files], or None if they are names; raise DatasetError for other numbers."""
    whole = [_INTEGER.fullmatch(label) is not None for label in found.labels]
    if not all(whole):
        if all(map(_is_number, found.labels)):
            first = whole.index(False)
            raise DatasetError(
                f"{path}: line {found.lines[first]}: {found.labels[first]} is not a whole number",
                "use whole numbers from 0, or names; select another column with --label-column",
            )
        return None
    for label, line in zip(found.labels, found.lines, strict=True):
        digits = label.lstrip("+").lstrip("0")
        if label.startswith("-") or len(digits) > len(str(MAX_LABEL)) or int(digits or 0) > MAX_LABEL:
            raise DatasetError(
                f"{path}: line {line}: label {label[:30]}",
                f"use whole numbers from 0 to {MAX_LABEL:,}, or names; remove images without a class",
            )
    return np.array([int(label) for label in found.labels], np.int64)


def _is_number(label: str) -> bool:
    return (_INTEGER.fullmatch(label) or _DECIMAL.fullmatch(label)) is not None


def _named(path: Path, numbers: npt.NDArray[np.int64], label_names: ClassList) -> tuple[list[str], list[str]]:
    """Return the name of each number, and a note. Numbers count from 1 (such as ILSVRC's ids) or from 0."""
    names, highest = label_names.names, int(numbers.max())
    from_zero, from_one = highest < len(names), highest <= len(names) and 0 not in numbers
    if not from_zero and not from_one:
        raise DatasetError(
            f"{path}: label {highest}, but {label_names.source} has only {len(names):,} names",
            "list the names of all numbers with --label-names",
        )
    if from_zero and from_one:
        first = first_number(label_names.lines)
        if first not in (0, 1):
            raise DatasetError(
                f"{label_names.source}: its first line may be the name of label 0 or of label 1, because {path} has "
                f"neither 0 nor {len(names)}",
                "write each name's number before it in --label-names, for example: 1 name",
            )
    else:
        first = 0 if from_zero else 1
    return [names[number - first] for number in numbers.tolist()], [
        f"labels: numbered from {first} in the order of {Path(label_names.source).name}"
    ]
