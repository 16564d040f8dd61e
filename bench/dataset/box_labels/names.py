"""Names of classes beside YOLO's labels: ``classes.txt``, or ``names`` in ``data.yaml``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_bench.bench.dataset.box_labels.yolo import NAME_FILES
from edge_bench.bench.dataset.listing.text import read_lines
from edge_bench.bench.errors import DatasetError, MissingDependency
from edge_bench.bench.io.files import read_bounded, why_unreadable

__all__ = ["find_name_file", "read_class_names"]

_MAX_BYTES = 4 << 20
#: Levels above the images, or the labels, at which data sets keep the file: data.yaml · images · val
_LEVELS_UP = 2
_REMEDY = "list the names of all classes, one per line, in a file classes.txt"


def find_name_file(folders: Sequence[Path]) -> Path | None:
    """Return the nearest file of class names in these folders or up to two levels above; None if there is none.

    Raise DatasetError if there are several that do not say the same.
    """
    level = [folder.absolute() for folder in folders]
    above = list(level)
    for _ in range(_LEVELS_UP):
        level = [folder.parent for folder in level]
        above += level
    found = [folder / name for folder in dict.fromkeys(above) for name in NAME_FILES if (folder / name).is_file()]
    lists = [read_class_names(path) for path in found]
    for path, names in zip(found, lists, strict=True):
        if names != lists[0]:
            raise DatasetError(
                f"{found[0]} and {path} have different names of classes", "remove one of them, or use --classes"
            )
    return found[0] if found else None


def read_class_names(path: Path) -> list[str]:
    """Return the names of classes in the order of their numbers, from a text file or a YAML file.

    Raise DatasetError if it has none, or the same name twice; MissingDependency if YAML cannot be read here.
    """
    names = _from_yaml(path) if path.suffix.lower() in (".yaml", ".yml") else read_lines(path)
    for number, name in enumerate(names):
        if not name.strip():
            raise DatasetError(f"{path}: class {number} has no name", _REMEDY)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DatasetError(f"{path}: two classes are called {twice[:80]}", "give each class a name of its own")
    return names


def _from_yaml(path: Path) -> list[str]:
    try:
        import yaml
    except ImportError:
        raise MissingDependency(f"{path}: reading it needs PyYAML, which is not installed", _REMEDY) from None
    try:
        text = read_bounded(path, _MAX_BYTES).decode("utf-8-sig")
        # all values as text: YAML takes a class called "no" for False
        content: Any = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts, lists and dicts only
    except (OSError, ValueError) as cause:
        raise DatasetError(f"{path}: cannot be read: {why_unreadable(cause)}", _REMEDY) from None
    except (yaml.YAMLError, RecursionError):
        raise DatasetError(f"{path}: not a YAML file", _REMEDY) from None
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict) and all(isinstance(key, str) for key in names):
        if sorted(names) != sorted(map(str, range(len(names)))):
            raise DatasetError(f"{path}: its classes are not numbered from 0 to {len(names) - 1}", _REMEDY)
        names = [names[str(number)] for number in range(len(names))]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise DatasetError(f"{path}: no names of classes in it", _REMEDY)
    if content.get("nc", str(len(names))) != str(len(names)):
        raise DatasetError(f"{path}: {len(names)} names, but nc is {str(content['nc'])[:20]}", _REMEDY)
    return names
