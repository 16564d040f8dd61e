"""Reading with limits and writing whole: what every file of this project goes through."""

import hashlib
import mmap
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy.typing as npt

__all__ = ["fsync_folder", "let_go", "read_bounded", "sha256_of", "write_atomically"]

_CHUNK = 1 << 20


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal, with constant memory."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def read_bounded(path: Path, limit: int) -> bytes:
    """All bytes of a file of at most ``limit`` bytes.

    Raises OSError where the file cannot be read, ValueError where it is larger: nothing larger is ever allocated.
    """
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"larger than {limit:,} bytes")
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
