"""Locks of the kernel on files and folders; a crashed process leaves none behind."""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from edge_bench.bench.errors import BadInput

__all__ = ["PATIENCE_SECONDS", "is_locked", "lock", "only_writer", "reading", "remove_unlocked"]

#: A killed process keeps its locks until the kernel has released all its memory.
PATIENCE_SECONDS = 1.0
_STEP_SECONDS = 0.02


@contextlib.contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Lock an existing folder for writing; raise BadInput if another process has it locked.

    The lock is on the folder itself. No file is written, and the lock always ends with the process. A file system
    without locks gives no protection.
    """
    with _folder_lock(folder, fcntl.LOCK_EX, "in use: another edge-bench is writing or measuring it"):
        yield


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Lock a folder for reading, together with other readers; raise BadInput if a process is writing it."""
    with _folder_lock(folder, fcntl.LOCK_SH, "in use: another edge-bench is writing it"):
        yield


@contextlib.contextmanager
def _folder_lock(folder: Path, kind: int, refusal: str) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not lock(handle, kind):
            raise BadInput(f"{folder}: {refusal}", "wait for it to end, or choose another folder")
        yield
    finally:
        os.close(handle)


def lock(handle: int, kind: int = fcntl.LOCK_EX, patience: float = PATIENCE_SECONDS) -> bool:
    """Return whether the lock was acquired within ``patience`` seconds; also True if the file system has no locks."""
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except OSError as cause:
            if cause.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                return True
        else:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(_STEP_SECONDS)


def is_locked(path: Path, patience: float = 0) -> bool:
    """Return whether a living process has locked the file, and keeps it locked for ``patience`` seconds.

    Return False if the file system has no locks.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return not lock(handle, fcntl.LOCK_SH, patience)
    finally:
        os.close(handle)


def remove_unlocked(folder: Path, pattern: str, flags: int, remove: Callable[[Path], object]) -> None:
    """Call ``remove`` for everything in the folder that matches and that no living process has locked.

    ``flags`` are the modes to open it: O_RDWR for files, since NFS does not lock files opened read-only, O_DIRECTORY
    for folders. Skip entries that cannot be opened, locked or removed.
    """
    paths: list[Path] = []
    with contextlib.suppress(OSError):  # the folder cannot be read
        paths += folder.glob(pattern)
    for path in paths:
        with contextlib.suppress(OSError):
            handle = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # OSError if locked
                remove(path)
            finally:
                os.close(handle)
