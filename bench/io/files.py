"""Files read with limits and written atomically."""

import contextlib
import errno
import fcntl
import hashlib
import mmap
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy.typing as npt

from edge_bench.bench.errors import BadInput
from edge_bench.bench.interrupts import defer_interrupts
from edge_bench.bench.io.locks import remove_unlocked

__all__ = [
    "PART",
    "TooLarge",
    "drop_mapped_pages",
    "foreign_writer",
    "fsync_folder",
    "is_within",
    "locked_temporary",
    "mapped",
    "open_regular_file",
    "read_bounded",
    "read_text_or_empty",
    "remove_leftovers",
    "replacing",
    "sha256_of",
    "why_unreadable",
    "write_atomically",
]  # fmt: skip

_CHUNK = 1 << 20
#: Part of the name of every temporary file, and of no other file.
PART = ".edge-bench-part"


class TooLarge(ValueError):
    """A file is larger than its format allows."""


def open_regular_file(path: Path) -> BinaryIO:
    """Open a regular file for reading; raise OSError if it is something else or cannot be opened.

    Reading a pipe might block forever, and a device may have no end.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not an ordinary file", str(path))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def foreign_writer(path: Path, owner: int | None = None) -> str:
    """Return how a user other than this one and root may have written a file; empty if that is impossible.

    The rule is the one that ssh uses for its configuration. Raise OSError if the file is missing. ``owner`` is the user
    as whom the file will be used, if that is another one.
    """
    status = path.stat()
    if status.st_uid not in (0, os.geteuid() if owner is None else owner):
        return f"it belongs to another user (id {status.st_uid})"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "other users can write to it"
    return ""


def why_unreadable(cause: Exception) -> str:
    """Return why a file cannot be read, in at most 200 characters; the system's own message if there is one."""
    lines = str(getattr(cause, "strerror", None) or cause or type(cause).__name__).splitlines()
    return lines[0][:200] if lines else type(cause).__name__


def is_within(folder: Path, path: Path) -> bool:
    """Return whether a path is within the folder after following all symbolic links. The path need not exist.

    Return False for a loop of links, a name that is too long and similar errors.
    """
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def sha256_of(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """Return the SHA-256 of a file in hexadecimal, computed in constant memory.

    ``advance`` is called with the number of bytes of every part that was read.
    """
    digest = hashlib.sha256()
    with open_regular_file(path) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            advance(len(chunk))
    return digest.hexdigest()


@contextlib.contextmanager
def mapped(path: Path, limit: int) -> Iterator[mmap.mmap]:
    """Yield the content of a file of 1 to ``limit`` bytes without reading it to memory.

    Raise OSError if the file cannot be opened, ValueError if it is empty, TooLarge if it has more bytes.
    """
    with open_regular_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            raise ValueError("it is empty")
        if size > limit:
            raise TooLarge(f"larger than {limit:,} bytes")
        content = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        try:
            yield content
        finally:
            with contextlib.suppress(BufferError):  # an error's traceback may refer to a part of it
                content.close()


def read_bounded(path: Path, limit: int) -> bytes:
    """Return the content of a file of at most ``limit`` bytes; never allocate more.

    Raise OSError if the file cannot be read, ValueError if it is larger or grows while it is read.
    """
    with open_regular_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise ValueError(f"larger than {limit:,} bytes")
        data = file.read(size + 1)  # reading `limit` would allocate that much even for a small file
    if len(data) > size:
        raise ValueError("its size changed while it was read")
    return data


def read_text_or_empty(path: Path) -> str:
    """Return a small file's text; empty if it cannot be read, as files of /proc and /sys may be."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def drop_mapped_pages(array: npt.NDArray[Any]) -> None:
    """Release the pages of a memory-mapped array, so that they do not count as memory of this process.

    The content stays in the file, and in the system's page cache while there is space.
    """
    mapped = getattr(array, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def write_atomically(path: Path, data: bytes, *, exclusive: bool = False) -> None:
    """Write a temporary file in the same folder, sync it and rename it, so that readers see all of it or nothing.

    With ``exclusive`` raise FileExistsError instead of replacing an existing file.
    """
    with replacing(path, exclusive=exclusive) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def replacing(path: Path, *, exclusive: bool = False, suffix: str = "") -> Iterator[Path]:
    """Yield an empty temporary file beside ``path``; at the end sync and rename it to ``path``, or remove it on error.

    First remove the temporary files that killed processes left in that folder; those of living processes are locked.
    ``suffix`` ends the temporary name, for libraries that derive the format from the name. Raise BadInput for a device,
    pipe or socket such as ``/dev/null``, which a file would replace.
    """
    with contextlib.suppress(OSError):  # it does not exist yet
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise BadInput(f"{path}: not a regular file, and would be replaced by one", "name another file")
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)
    created: list[tuple[Path, int]] = []
    try:
        with defer_interrupts():
            created.append(locked_temporary(path, suffix))
        temporary = created[0][0]
        yield temporary
        with defer_interrupts():
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            _rename(temporary, path, exclusive=exclusive)
            fsync_folder(path.parent)
    finally:
        for temporary, handle in created:
            temporary.unlink(missing_ok=True)
            os.close(handle)


def locked_temporary(path: Path, suffix: str = "", first: bytes = b"") -> tuple[Path, int]:
    """Return a new temporary file beside ``path`` and the handle that locks it; ``first`` is written before locking."""
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
        if os.fstat(handle).st_nlink:  # else remove_leftovers of another process deleted it before it was locked
            return Path(name), handle
        os.close(handle)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that killed processes left in the folder."""
    remove_unlocked(folder, f".*{PART}*", os.O_RDWR, Path.unlink)


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
    """Make renames in a folder durable, if the file system supports it."""
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
