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


@contextlib.contextmanager
def night_lock(results: Path) -> Iterator[int]:
    """Lock the nights of a results folder and yield the lock's file descriptor, which may be inherited.

    Raise BadInput if another process has them locked.
    """
    folder = results / FOLDER
    writable_folder(folder)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not lock(handle):
            raise BadInput(
                f"{folder}: another `edge-bench nightly` is measuring with these results; nothing was changed",
                "wait for it to end, or use other results in the settings file",
            )
        yield handle
    finally:
        os.close(handle)
