"""Names of models that are given as files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.names import recordable

__all__ = ["names_of"]


def names_of(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the paths by name: the file's stem, with folders or the suffix as needed to make equal stems different.

    Raise BadInput if a file is named twice.
    """
    stems = Counter(path.stem for path in paths)
    named: dict[str, Path] = {}
    for path in paths:
        same = [other for other in paths if other.stem == path.stem and other is not path]
        name = path.stem
        if stems[path.stem] > 1:
            names = Counter(other.name for other in paths)
            name = path.name if names[path.name] == 1 else _with_folders(path, same)
        if recordable(name) in named:
            raise BadInput(f"{path}: named twice", "give each file once")
        named[recordable(name)] = path
    return named


def _with_folders(path: Path, others: Sequence[Path]) -> str:
    """Return the end of the path that no other path has, without the suffix if that is not needed."""
    absolute, rest = path.absolute(), [other.absolute() for other in others]
    parts = absolute.parts[1:]
    for count in range(2, len(parts) + 1):
        end = parts[-count:]
        if all(other.parts[-count:] != end for other in rest):
            return Path(*end).with_suffix("").as_posix()
    return absolute.as_posix()
