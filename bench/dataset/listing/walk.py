"""Image files below a folder: symbolic links are followed, what systems and tools leave behind is skipped."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_bench.bench.errors import DatasetError

__all__ = ["SUFFIXES", "FoundImages", "abbreviate", "find_images", "is_left_by_programs", "is_split"]

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".gif"}

#: Names, in lower case, that operating systems, file servers and tools give to their own files and folders. Names that
#: begin with a dot are theirs too. From the ignore lists of Syncthing, Nextcloud and GitHub, and the manuals of
#: Synology and QNAP.
LEFT_BY_PROGRAMS = {
    "__macosx", "network trash folder", "temporary items", "desktop db", "desktop df", "icon\r",  # macOS
    "$recycle.bin", "system volume information", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini",
    "found.000", "wpsettings.dat", "indexervolumeguid",  # Windows
    "lost+found",  # ext4
    "lost.dir",  # Android
    "@eadir", "@tmp", "@sharebin", "@synoresource", "#recycle", "#snapshot",  # Synology
    "@recycle", "@recently-snapshot", "@__thumb",  # QNAP
    "~snapshot",  # NetApp
    "__pycache__",
}  # fmt: skip

#: Names of the parts of a data set, with additions such as ``train2017`` or ``test_set``.
_SPLIT = re.compile(
    r"(train|training|val|valid|validation|test|testing|eval|evaluation|dev|holdout)"
    r"([-_ ]?(set|data|images|imgs|split))?[-_ ]?[0-9]{0,4}",
    re.IGNORECASE,
)
#: Limit on visited folders: links can make a tree of any size from few folders.
MAX_FOLDERS = 200_000


@dataclass
class FoundImages:
    """What is below a folder; all paths are relative to it and separated by slashes."""

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)  # directly in the folder, with or without images
    others: int = 0  # files that are no images by their names
    with_others: set[str] = field(default_factory=set)  # those of ``folders`` that contain such files
    skipped: list[str] = field(default_factory=list)  # folders that systems and tools left
    hidden: int = 0  # images whose names begin with a dot
    dangling: list[str] = field(default_factory=list)  # links to nothing
    loops: list[str] = field(default_factory=list)  # links to a folder that contains them

    def notes(self, name: str) -> Iterator[str]:
        """Yield what was left out, for a folder of that name."""
        if self.others:
            yield f"{self.others:,} files in {name} are not images by their names and are ignored"
        if self.skipped:
            yield f"{name}: ignored {abbreviate(self.skipped)}, which an operating system or a tool left there"
        if self.hidden:
            yield f"{name}: ignored {self.hidden:,} image files whose names begin with a dot"
        if self.dangling:
            yield f"{name}: ignored {len(self.dangling):,} links to missing files: {abbreviate(self.dangling)}"
        if self.loops:
            yield f"{name}: ignored {len(self.loops):,} links to folders that contain them: {abbreviate(self.loops)}"


def is_left_by_programs(name: str) -> bool:
    """Return whether a file or folder of this name belongs to an operating system or a tool."""
    return name.startswith(".") or name.lower() in LEFT_BY_PROGRAMS


def is_split(name: str) -> bool:
    """Return whether a folder of this name is a part of a data set, such as ``train`` or ``val``."""
    return _SPLIT.fullmatch(name) is not None


def find_images(folder: Path) -> FoundImages:
    """List the image files below ``folder``, sorted by path; raise DatasetError if a folder cannot be read."""
    found = FoundImages()
    pending: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset({_identity(folder, "")}))]
    visited = 0
    while pending:
        prefix, above = pending.pop()
        visited += 1
        if visited > MAX_FOLDERS:
            raise DatasetError(
                f"{folder}: more than {MAX_FOLDERS:,} folders, counting linked ones", "name a folder with fewer links"
            )
        for entry in _entries(folder, prefix):
            path = prefix + entry.name
            if entry.is_dir():
                if is_left_by_programs(entry.name):
                    found.skipped.append(path)
                    continue
                identity = _identity(folder, path)
                if identity in above:
                    found.loops.append(path)
                    continue
                if not prefix:
                    found.folders.append(entry.name)
                pending.append((f"{path}/", above | {identity}))
            else:
                _add_file(found, entry, path)
    for names in (found.files, found.folders, found.skipped, found.dangling, found.loops):
        names.sort()
    return found


def _add_file(found: FoundImages, entry: "os.DirEntry[str]", path: str) -> None:
    is_image = os.path.splitext(entry.name)[1].lower() in SUFFIXES  # noqa: PTH122 - Path is slow for 50,000 names
    if is_left_by_programs(entry.name):
        found.hidden += is_image and not entry.name.startswith("._")  # macOS writes ._NAME beside each NAME
    elif entry.is_symlink() and not os.path.exists(entry.path):  # noqa: PTH110
        found.dangling.append(path)
    elif entry.is_file():
        if is_image:
            found.files.append(path)
        else:
            found.others += 1
            found.with_others.add(path.split("/", 1)[0])


def _entries(folder: Path, prefix: str) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder / prefix) as entries:
            return list(entries)
    except OSError as cause:
        raise DatasetError(
            f"{folder / prefix}: cannot be read: {cause.strerror}", "make the folder readable or move it elsewhere"
        ) from None


def _identity(folder: Path, path: str) -> tuple[int, int]:
    """Return device and inode of a folder, after following links."""
    try:
        status = (folder / path).stat()
    except OSError as cause:
        raise DatasetError(f"{folder / path}: cannot be read: {cause.strerror}") from None
    return status.st_dev, status.st_ino


def abbreviate(names: Sequence[str]) -> str:
    """Return up to three of the names, and how many more there are."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"
