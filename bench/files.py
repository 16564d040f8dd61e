"""Reading with limits and writing whole: what every file of this project goes through."""

import errno
import hashlib
import mmap
import os
import stat
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy.typing as npt

__all__ = [
    "fsync_folder", "inside", "let_go", "open_ordinary", "read_bounded", "sha256_of", "why_unreadable",
    "write_atomically",
]  # fmt: skip

_CHUNK = 1 << 20


def open_ordinary(path: Path) -> BinaryIO:
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


def inside(folder: Path, path: Path) -> bool:
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
    with open_ordinary(path) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def read_bounded(path: Path, limit: int) -> bytes:
    """All bytes of a file of at most ``limit`` bytes.

    Raises OSError where the file cannot be read, ValueError where it is larger: nothing larger is ever allocated.
    """
    with open_ordinary(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise ValueError(f"larger than {limit:,} bytes")
        data = file.read(size + 1)  # not the limit: a buffer of that size would be allocated for a small file, too
    if len(data) > size:
        raise ValueError("it grows while it is read")
    return data


def let_go(array: npt.NDArray[Any]) -> None:
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
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        if exclusive:
            os.link(temporary, path)
            temporary.unlink()
        else:
            temporary.replace(path)
        fsync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
