"""The lock of a results folder's nights: one scheduler at a time."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.disk_space import writable_folder
from edge_bench.bench.io.locks import lock
from edge_bench.bench.records.nights.files import FOLDER

__all__ = ["night_lock"]

#: After `nightly` was killed, its measurement is killed, too, and the kernel releases all its memory before the lock.
_PATIENCE_SECONDS = 5.0


@contextlib.contextmanager
def night_lock(results: Path) -> Iterator[int]:
    """Lock the nights of a results folder and yield the lock's file descriptor, which may be inherited.

    Raise BadInput if another process has them locked.
    """
    folder = results / FOLDER
    writable_folder(folder)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not lock(handle, patience=_PATIENCE_SECONDS):
            raise BadInput(
                f"{folder}: another `edge-bench nightly`, or a measurement that it began, uses these "
                f"results{_processes(folder)}; nothing was changed",
                "wait for it to end, or use other results in the settings file",
            )
        yield handle
    finally:
        os.close(handle)


def _processes(folder: Path) -> str:
    """Return the other processes that have a folder open, as far as this user may know."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if path.readlink() == folder.resolve():
                found.add(int(path.parts[2]))
    found.discard(os.getpid())
    return f" (process {', '.join(map(str, sorted(found)))})" if found else ""
