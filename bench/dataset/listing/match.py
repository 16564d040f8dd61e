"""Matching of the file names in a labels file with the image files of a folder."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Conflict", "ImagePaths", "Matches", "match"]

_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
_Parts = tuple[str, ...]
_Strength = tuple[int, int, int]  # minus the level of comparison, kind of match, number of equal components


@dataclass(frozen=True)
class Conflict:
    """An image for which several lines match equally well, or a line that matches several images equally well."""

    image: int
    lines: list[int]  # two indices of lines, or one
    other_image: int | None = None


@dataclass
class Matches:
    """For each image the index of its line, and how the names were compared."""

    lines: dict[int, int] = field(default_factory=dict)  # by the index of the image
    conflicts: dict[int, Conflict] = field(default_factory=dict)  # by the index of the image
    by_stem: int = 0  # images whose names were compared without suffixes
    by_name_only: int = 0  # images in a folder other than stated in their lines

    @property
    def covered(self) -> int:
        """Number of images that have a line, or several that contradict each other."""
        return len(self.lines) + len(self.conflicts)


@dataclass
class _Node:
    """The lines whose paths end with the same components."""

    longer: "dict[str, _Node]" = field(default_factory=dict)
    ends: dict[object, int] = field(default_factory=dict)  # lines that are exactly this path: first line by label
    below: dict[object, int] = field(default_factory=dict)  # all lines of the subtree: first line by label, at most two


class ImagePaths:
    """The images of a folder, prepared for `match`."""

    def __init__(self, folder: Path, files: Sequence[str]) -> None:
        above = _parts(str(folder.absolute()))
        self.relative = [_parts(file) for file in files]
        self.whole = [above + parts for parts in self.relative]
        self.names = {name for parts in self.relative for name in (parts[-1], _stem(parts)[-1])}

    def __len__(self) -> int:
        return len(self.relative)


def match(images: ImagePaths, names: Sequence[str], labels: Sequence[object]) -> Matches:
    """Find the line of each image, where line ``i`` has the file name ``names[i]`` and the label ``labels[i]``.

    The best line has exactly the image's path in the folder. Otherwise it shares the longest end of the path, in whole
    components. If no line has the file's name, names are compared without suffixes. Two equally good lines with
    different labels, or two images with one line, are a `Conflict`.
    """
    found, claimed = Matches(), dict[int, tuple[int, _Strength]]()
    parts = [_parts(name) for name in names]
    if not any(each and (each[-1] in images.names or _stem(each)[-1] in images.names) for each in parts):
        return found  # most columns of a table: no need to compare all
    as_written = _tree(parts, labels)
    for level in range(3):  # whole names; lines that have no suffix; all without suffix
        pending = [n for n in range(len(images)) if n not in found.lines and n not in found.conflicts]
        if not pending:
            break
        tree = as_written if level < 2 else _tree([_stem(each) for each in parts], labels)
        choices = []
        for image in pending:
            whole = images.whole[image] if level == 0 else _stem(images.whole[image])
            if choice := _best(tree, whole, len(images.relative[image])):
                kind, depth, lines = choice
                choices.append(((-level, kind, depth), image, lines))
        # images with the better match take a line first
        for strength, image, lines in sorted(choices, key=lambda choice: choice[0], reverse=True):
            _take(found, claimed, image, strength, lines)
    return found


def _take(
    found: Matches, claimed: dict[int, tuple[int, _Strength]], image: int, strength: _Strength, lines: list[int]
) -> None:
    if len(lines) > 1:
        found.conflicts[image] = Conflict(image, lines)
    elif lines[0] not in claimed:
        claimed[lines[0]] = image, strength
        found.lines[image] = lines[0]
        found.by_stem += strength[0] < 0
        found.by_name_only += strength[1:] == (0, 1)
    elif claimed[lines[0]][1] == strength:
        found.conflicts[image] = Conflict(image, lines, claimed[lines[0]][0])


def _best(tree: _Node, whole: _Parts, relative: int) -> tuple[int, int, list[int]] | None:
    """Return the kind of the best match, its number of equal components, and one line for each label, two at most.

    Kinds, best first: the line is the image's path in the folder (3), ends with it (2), or is an end of it (1); in kind
    0, both have further components that differ.
    """
    node, depth, exact = tree, 0, None
    for component in reversed(whole):
        if component not in node.longer:
            break
        node, depth = node.longer[component], depth + 1
        if depth == relative and node.ends:
            exact = node.ends
    if not depth:
        return None
    lines = exact or node.ends or node.below
    kind = 3 if exact else 2 if depth >= relative else 1 if node.ends else 0
    return kind, depth, list(lines.values())


def _tree(names: Sequence[_Parts], labels: Sequence[object]) -> _Node:
    root = _Node()
    for line, (parts, label) in enumerate(zip(names, labels, strict=True)):
        node = root
        for component in reversed(parts):
            node = node.longer.setdefault(component, _Node())
            if len(node.below) < 2:
                node.below.setdefault(label, line)
        if parts and len(node.ends) < 2:
            node.ends.setdefault(label, line)
    return root


def _parts(name: str) -> _Parts:
    """Return the components of a path; backslashes separate, too, and accents are one character each (NFC)."""
    components = unicodedata.normalize("NFC", name).strip().replace("\\", "/").split("/")
    return tuple(component for component in components if component not in ("", "."))


def _stem(parts: _Parts) -> _Parts:
    return (*parts[:-1], _SUFFIX.sub("", parts[-1]) or parts[-1]) if parts else parts
