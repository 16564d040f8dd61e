"""A temporary folder of one process: libraries may leave there what they like, it goes with the process."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["Scratch", "lasting_temporary_folder"]

_PREFIX = "edge-bench-scratch-"
_given: list[Path] = []  # the system's temporary folder, where this process has a scratch folder in its place


def lasting_temporary_folder() -> Path:
    """The system's temporary folder, for what must outlive this process."""
    return _given[0] if _given else Path(tempfile.gettempdir())


class Scratch:
    """The folder; a kill leaves it behind, and the next one to be made removes it."""

    def __init__(self) -> None:
        """OSError where there is no temporary folder."""
        self._around = Path(tempfile.gettempdir())
        self._sweep()
        while True:  # another sweep may have taken it before it was locked
            self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._around))
            self._handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(self._handle, fcntl.LOCK_EX)
            if self.folder.is_dir():
                break
            os.close(self._handle)

    def use(self) -> None:
        """From here on it is this process's temporary folder, and that of the processes it starts."""
        _given[:] = [self._around]
        tempfile.tempdir = os.environ["TMPDIR"] = str(self.folder)

    def remove(self) -> None:
        """With all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._handle)

    def _sweep(self) -> None:
        for folder in self._around.glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):
                handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # OSError: its process lives
                    shutil.rmtree(folder, ignore_errors=True)
                finally:
                    os.close(handle)
