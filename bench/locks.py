"""One writer a folder: a lock that a crash does not leave behind."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from bench.errors import BadInput

__all__ = ["only_writer"]


@contextlib.contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Holds the folder, which must exist; BadInput where another process does.

    The kernel's lock on the folder itself: nothing is written, and it ends with the process, however that ends. On a
    file system without locks there is none.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as cause:
            if cause.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise BadInput(
                    f"{folder}: another edge-bench is writing there", "wait for it to end, or name another folder"
                ) from None
        yield
    finally:
        os.close(handle)
