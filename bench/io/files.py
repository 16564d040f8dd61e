"""Reading with limits and writing whole: what every file of this project goes through."""

import contextlib
import errno
import fcntl
import hashlib
import mmap
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy.typing as npt

from edge_bench.bench.interrupts import defer_interrupts

__all__ = [
    "PART",
    "drop_mapped_pages",
    "fsync_folder",
    "is_within",
    "locked_temporary",
    "open_regular_file",
    "read_bounded",
    "remove_leftovers",
    "replacing",
    "sha256_of",
    "why_unreadable",
    "write_atomically",
]  # fmt: skip

_CHUNK = 1 << 20
#: In the name of every temporary file, and in no other.
PART = ".edge-bench-part"


def open_regular_file(path: Path) -> BinaryIO:
    """Opens a file for reading, and nothing else that may bear its name.

    A pipe would be waited on for ever, and a device may never end. OSError where it is one, or cannot be opened.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not an ordinary file", str(path))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def why_unreadable(cause: Exception) -> str:
    """What stopped a file from being read, in a few words: the system's own where it was the system."""
    lines = str(getattr(cause, "strerror", None) or cause or type(cause).__name__).splitlines()
    return lines[0][:200] if lines else type(cause).__name__


def is_within(folder: Path, path: Path) -> bool:
    """Whether a path, all symbolic links followed, is within the folder; also where it does not exist yet.

    ValueError and OSError (a loop of links, a name too long) are a no.
    """
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal, with constant memory."""
    digest = hashlib.sha256()
    with open_regular_file(path) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def read_bounded(path: Path, limit: int) -> bytes:
    """All bytes of a file of at most ``limit`` bytes.

    Raises OSError where the file cannot be read, ValueError where it is larger: nothing larger is ever allocated.
    """
    with open_regular_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise ValueError(f"larger than {limit:,} bytes")
        data = file.read(size + 1)  # not the limit: a buffer of that size would be allocated for a small file, too
    if len(data) > size:
        raise ValueError("it grows while it is read")
    return data


def drop_mapped_pages(array: npt.NDArray[Any]) -> None:
    """Unmaps what has been touched of a memory-mapped array, so that it does not count as this process's memory.

    The content stays in the file, and in the system's cache as long as there is room.
    """
    mapped = getattr(array, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def write_atomically(path: Path, data: bytes, *, exclusive: bool = False) -> None:
    """Writes under a temporary name in the same folder, syncs, then renames: readers see all of it or nothing.

    With ``exclusive`` an existing file is never replaced (FileExistsError).
    """
    with replacing(path, exclusive=exclusive) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def replacing(path: Path, *, exclusive: bool = False, suffix: str = "") -> Iterator[Path]:
    """An empty file beside ``path`` to be written; synced and renamed to ``path`` at the end, gone where that fails.

    What a kill has left half-made in that folder is removed first; a lock tells it from what is being written now.
    ``suffix`` ends the temporary name, for libraries that ask a name for its format.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)
    made: list[tuple[Path, int]] = []
    try:
        with defer_interrupts():
            made.append(locked_temporary(path, suffix))
        temporary = made[0][0]
        yield temporary
        with defer_interrupts():
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            _rename(temporary, path, exclusive=exclusive)
            fsync_folder(path.parent)
    finally:
        for temporary, handle in made:
            temporary.unlink(missing_ok=True)
            os.close(handle)


def locked_temporary(path: Path, suffix: str = "", first: bytes = b"") -> tuple[Path, int]:
    """A new temporary file beside ``path``, and the handle that locks it; once locked it has ``first`` in it."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=f"{PART}{suffix}", dir=path.parent)
        try:
            os.write(handle, first)
        except OSError:
            os.close(handle)
            Path(name).unlink()
            raise
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:  # else somebody's remove_leftovers came between
            return Path(name), handle
        os.close(handle)


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary files of processes that are no more."""
    paths: list[Path] = []
    with contextlib.suppress(OSError):  # a folder that is not ours to read
        paths += folder.glob(f".*{PART}*")
    for path in paths:
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # OSError: its process lives
                path.unlink()
            finally:
                os.close(handle)


def _rename(temporary: Path, path: Path, *, exclusive: bool) -> None:
    if not exclusive:
        temporary.replace(path)
        return
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # vfat, exFAT and some network file systems have no hard links
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.rename(path)


def fsync_folder(folder: Path) -> None:
    """Makes renames in a folder durable, where the file system has a notion of it."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
