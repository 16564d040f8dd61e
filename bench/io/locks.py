"""Who may write where: locks of the kernel, which a crash does not leave behind."""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from edge_bench.bench.errors import BadInput

__all__ = ["lock", "only_writer", "reading"]

#: A process that was killed holds its locks until all its memory is given back.
PATIENCE_SECONDS = 1.0
_STEP_SECONDS = 0.02


@contextlib.contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Holds the folder, which must exist; BadInput where another process does.

    The lock is on the folder itself: nothing is written, and it ends with the process, however that ends. On a
    file system without locks there is none.
    """
    with _held(folder, fcntl.LOCK_EX, "another edge-bench is writing there, or measuring it"):
        yield


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[None]:
    """As many as like may read the folder, and nobody may write it meanwhile; BadInput where somebody does."""
    with _held(folder, fcntl.LOCK_SH, "another edge-bench is writing there"):
        yield


@contextlib.contextmanager
def _held(folder: Path, kind: int, refusal: str) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not lock(handle, kind):
            raise BadInput(f"{folder}: {refusal}", "wait for it to end, or name another folder")
        yield
    finally:
        os.close(handle)


def lock(handle: int, kind: int = fcntl.LOCK_EX, patience: float = PATIENCE_SECONDS) -> bool:
    """Whether the lock was got, within ``patience`` seconds; also True where the file system has none."""
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
