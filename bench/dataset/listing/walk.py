"""Image files below a folder. Symbolic links are followed; files left by operating systems and tools are skipped."""

import errno
import os
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.wording import abbreviate, counted

__all__ = ["SUFFIXES", "FoundImages", "find_images", "is_left_by_programs", "is_split"]

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".gif"}

#: Names, in lower case, of files and folders that operating systems, file servers and tools create. From the
#: ignore lists of Syncthing, Nextcloud, rsync and GitHub, and the manuals of Synology and QNAP.
LEFT_BY_PROGRAMS = {
    "network trash folder", "temporary items", "thevolumesettingsfolder", "thefindbycontentfolder", "desktop db",
    "desktop df", "icon\r",  # macOS
    "$recycle.bin", "recycler", "recycled", "system volume information", "thumbs.db", "ehthumbs.db",
    "ehthumbs_vista.db", "desktop.ini", "wpsettings.dat", "indexervolumeguid", "dfsrprivate",  # Windows
    "lost+found",  # ext4
    "lost.dir",  # Android
    "@eadir", "@tmp", "@sharebin", "@synoresource", "#recycle", "#snapshot",  # Synology
    "@recycle", "@recently-snapshot", "@__thumb",  # QNAP
    "~snapshot",  # NetApp
    "_gsdata_",  # GoodSync
    "cvs", "__pycache__",
}  # fmt: skip
#: How other such names begin: hidden files, temporary files of Microsoft Office, and copies of macOS's folder.
_LEFT_PREFIXES = (".", "~$", "__macosx")
_LEFT_BY_CHKDSK = re.compile(r"found\.[0-9]{3}")

#: Names of the parts of a data set, with additions such as ``train2017`` or ``test_set``.
_SPLIT = re.compile(
    r"(train|training|val|valid|validation|test|testing|eval|evaluation|dev|holdout)"
    r"([-_ ]?(set|data|images|imgs|split))?[-_ ]?[0-9]{0,4}",
    re.IGNORECASE,
)
#: Limit on visited folders, because links can make a few folders look like a tree of any size.
MAX_FOLDERS = 200_000
#: Errors of a link without a target: missing, below a file, a circle of links, or a name of invalid length.
_LEADS_TO_NOTHING = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
_Identity = tuple[int, int]  # device and inode


@dataclass
class FoundImages:
    """The content of a folder. All paths are relative to it and separated by slashes."""

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)  # directly in the folder, with or without images
    others: int = 0  # files without the suffix of an image
    with_others: set[str] = field(default_factory=set)  # those of ``folders`` that contain such files
    skipped: list[str] = field(default_factory=list)  # folders created by systems and tools
    hidden: int = 0  # images whose names begin with a dot or are of temporary files
    dangling: list[str] = field(default_factory=list)  # links without a target
    loops: list[str] = field(default_factory=list)  # links to a folder that contains them or whole classes

    def notes(self, name: str) -> Iterator[str]:
        """Yield notes about ignored files and folders, for a folder of that name."""
        if self.others:
            yield f"{name}: ignored {counted(self.others, 'file')} without the suffix of an image"
        if self.skipped:
            yield f"{name}: ignored {abbreviate(self.skipped)}, created by an operating system or a tool"
        if self.hidden:
            yield f"{name}: ignored {counted(self.hidden, 'hidden or temporary image file')}"
        if self.dangling:
            count = counted(len(self.dangling), "link to a missing file", "links to missing files")
            yield f"{name}: ignored {count}: {abbreviate(self.dangling)}"
        if self.loops:
            count = counted(
                len(self.loops),
                "link to a folder that contains it or whole classes",
                "links to folders that contain them or whole classes",
            )
            yield f"{name}: ignored {count}: {abbreviate(self.loops)}"


def is_left_by_programs(name: str) -> bool:
    """Return whether a file or folder of this name was created by an operating system or a tool."""
    lower = name.lower()
    return lower in LEFT_BY_PROGRAMS or lower.startswith(_LEFT_PREFIXES) or _LEFT_BY_CHKDSK.fullmatch(lower) is not None


def is_split(name: str) -> bool:
    """Return whether a folder of this name is a part of a data set, such as ``train`` or ``val``."""
    return _SPLIT.fullmatch(name) is not None


def find_images(folder: Path, suffixes: Set[str] = SUFFIXES) -> FoundImages:
    """List the image files below ``folder``, sorted by path, or files with other ``suffixes`` in lower case.

    Raise DatasetError if a folder cannot be read.
    """
    walk = _Walk(folder, suffixes)
    pending = walk.visit("", _lineage(folder))
    for prefix, _ in pending:
        walk.with_classes |= _parents(folder / prefix)
    visited = 1
    while pending:
        visited += 1
        if visited > MAX_FOLDERS:
            raise DatasetError(
                f"{folder}: more than {MAX_FOLDERS:,} folders, including linked ones",
                "choose a folder with fewer links",
            )
        pending += walk.visit(*pending.pop())
    return walk.found()


class _Walk:
    """The findings so far. An ignored link is listed once, even if several paths lead to it."""

    def __init__(self, folder: Path, suffixes: Set[str]) -> None:
        self._suffixes = suffixes
        #: Folders that contain whole classes. A link to one below a class would add images of other classes.
        self.with_classes = set[_Identity]()
        self._folder, self._found = folder, FoundImages()
        self._dangling, self._loops = dict[_Identity, str](), dict[_Identity, str]()

    def visit(self, prefix: str, above: frozenset[_Identity]) -> list[tuple[str, frozenset[_Identity]]]:
        """Add the entries of a folder; return the prefixes of its subfolders, each with the folders that contain it.

        above: this folder and all that contain it, by the links that lead here and by its real path
        """
        subfolders = []
        for entry in _entries(self._folder, prefix):
            path, is_folder, is_link = prefix + entry.name, _is_folder(entry), entry.is_symlink()
            if is_left_by_programs(entry.name):
                self._add_left(entry.name, path, is_folder=is_folder is True)
            elif is_folder is None:
                _add_link(self._dangling, entry, path)
            elif not is_folder:
                self._add_file(entry, path)
            elif (identity := _identity(self._folder / path)) in above or (is_link and identity in self.with_classes):
                _add_link(self._loops, entry, path)
            else:
                if not prefix:
                    self._found.folders.append(entry.name)
                own = _lineage(self._folder / path) if is_link else {identity}
                subfolders.append((f"{path}/", above | own))
        return subfolders

    def found(self) -> FoundImages:
        """Return what was found, sorted."""
        found = self._found
        found.dangling, found.loops = list(self._dangling.values()), list(self._loops.values())
        for names in (found.files, found.folders, found.skipped, found.dangling, found.loops):
            names.sort()
        return found

    def _add_left(self, name: str, path: str, *, is_folder: bool) -> None:
        if is_folder:
            self._found.skipped.append(path)
        else:
            # macOS writes ._NAME beside each NAME
            self._found.hidden += self._is_image(name) and not name.startswith("._")

    def _add_file(self, entry: "os.DirEntry[str]", path: str) -> None:
        if not entry.is_file():  # a pipe, a socket or a device
            return
        if self._is_image(entry.name):
            self._found.files.append(path)
        else:
            self._found.others += 1
            self._found.with_others.add(path.split("/", 1)[0])

    def _is_image(self, name: str) -> bool:
        return os.path.splitext(name)[1].lower() in self._suffixes  # noqa: PTH122 - Path is slow for 50,000 names


def _is_folder(entry: "os.DirEntry[str]") -> bool | None:
    """Return whether an entry is a folder, after following links; None for a link without a target."""
    try:
        is_folder = entry.is_dir()
        if not is_folder and entry.is_symlink():
            entry.stat()  # is_dir() is also false if there is no target
    except OSError as cause:
        if cause.errno in _LEADS_TO_NOTHING:
            return None
        raise _unreadable(entry.path, cause) from None
    return is_folder


def _add_link(links: dict[_Identity, str], entry: "os.DirEntry[str]", path: str) -> None:
    status = entry.stat(follow_symlinks=False)
    link = status.st_dev, status.st_ino
    links[link] = min(path, links.get(link, path))


def _entries(folder: Path, prefix: str) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder / prefix) as entries:
            return list(entries)
    except OSError as cause:
        raise _unreadable(folder / prefix, cause) from None


def _lineage(folder: Path) -> frozenset[_Identity]:
    """Return the identities of a folder and of all that contain it, by its real path."""
    return _parents(folder) | {_identity(folder)}


def _parents(folder: Path) -> frozenset[_Identity]:
    return frozenset(_identity(parent) for parent in Path(os.path.realpath(folder)).parents)


def _identity(folder: Path) -> _Identity:
    """Return device and inode of a folder, after following links."""
    try:
        status = folder.stat()
    except OSError as cause:
        raise _unreadable(folder, cause) from None
    return status.st_dev, status.st_ino


def _unreadable(path: str | Path, cause: OSError) -> DatasetError:
    return DatasetError(f"{path}: cannot be read: {cause.strerror}", "make it readable, or move it elsewhere")
