"""Label files: a label or a file name and a label on each line, and lists of class names."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.files import read_bounded

__all__ = ["abbreviate", "labels_from_file", "read_names"]
_MAX_TEXT = 64 << 20  # bytes; ImageNet's 50,000 lines are 2 MB


def read_names(path: Path) -> list[str]:
    """Read names, one per line; in ImageNet's synset files, drop the explanation after each name."""
    lines = _lines(path)
    names = [line.split(maxsplit=1)[0] if re.match(r"n\d{8}\b", line) else line for line in lines]
    if len(set(names)) != len(names):
        duplicate = Counter(names).most_common(1)[0][0]
        raise DatasetError(f"{path}: names {duplicate!r} twice", "a class has one name of its own")
    return names


def labels_from_file(
    path: Path, files: Sequence[str], names: list[str] | None, label_names: list[str] | None
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Read the labels of ``files`` as numbers, shape [files], and the names of the classes.

    names: of the model's outputs, if known; label_names: of the file's numbers, if they are not in the model's order.
    Raise DatasetError if labels are missing or unknown.
    """
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
        raise DatasetError(f"{path}: unknown class {abbreviate(unknown)}", "--classes names all, one a line")
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
        raise DatasetError(f"--classes does not name {abbreviate(unknown)}, which --label-names does")
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


def abbreviate(names: Sequence[str]) -> str:
    """Return up to three of the names, and how many more there are."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
