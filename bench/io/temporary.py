"""Temporary folders: one per process, removed with everything in it, and one per user that is kept."""

import contextlib
import fcntl
import functools
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.locks import remove_unlocked
from edge_bench.bench.io.names import is_utf8

__all__ = ["Scratch", "cache_folder", "lasting_private_folder", "lasting_temporary_folder", "utf8_path"]

_PREFIX = "edge-bench-scratch-"
_replaced: list[Path] = []  # the system's temporary folder, if a scratch folder has replaced it in this process


def lasting_temporary_folder() -> Path:
    """Return the system's temporary folder, for files that must outlive this process."""
    return _replaced[0] if _replaced else Path(tempfile.gettempdir())


def lasting_private_folder(name: str) -> Path:
    """Return a folder in the system's temporary folder that only this user can enter, and create it if necessary.

    It is called ``NAME-UID``. The temporary folder is open to all users, so another user may have created something of
    this name. In that case return a new folder with a random name, the same during this process. Raise OSError if
    neither can be created.
    """
    folder = lasting_temporary_folder() / f"{name}-{os.geteuid()}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700)
    with contextlib.suppress(OSError):
        status = folder.lstat()  # of a link itself, not its target
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) == 0o700:
            return folder
    return _random_folder(folder)


def cache_folder() -> Path:
    """Return EDGE_BENCH_CACHE if set, otherwise the platform's cache folder, or a temporary one if that is unusable.

    The content of the cache is trusted, so a folder that another user can write to is used only if it is configured.
    Raise BadInput if no folder can be used.
    """
    if configured := os.environ.get("EDGE_BENCH_CACHE"):
        return Path(configured)
    import platformdirs

    # RuntimeError: HOME is not set and the user is not in the password database
    with contextlib.suppress(OSError, RuntimeError):
        folder = Path(platformdirs.user_cache_dir("edge-bench"))
        if folder.is_absolute():
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK) and _is_private(folder):
                return folder
    try:
        return lasting_private_folder("edge-bench-cache")
    except OSError as cause:
        raise BadInput(
            f"no folder available for the cache: {cause.filename}: {cause.strerror}",
            "set EDGE_BENCH_CACHE to a writable folder",
        ) from None


def _is_private(folder: Path) -> bool:
    """Return whether a folder, and a link to it, is of this user or root, and not open to all."""
    statuses = folder.lstat(), folder.stat()
    owners = {status.st_uid for status in statuses}
    return owners <= {0, os.geteuid()} and not stat.S_IMODE(statuses[1].st_mode) & stat.S_IWOTH


@functools.cache
def _random_folder(instead_of: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{instead_of.name}-", dir=instead_of.parent))


@contextlib.contextmanager
def utf8_path(path: Path) -> Iterator[Path]:
    """Yield the path if it is UTF-8, otherwise a temporary link with such a name and the same suffix."""
    if is_utf8(str(path)):
        yield path
        return
    path = path.absolute()
    with tempfile.TemporaryDirectory(prefix="edge-bench-link-") as folder:
        if is_utf8(path.name):  # link the folder, so that files beside this one are found
            link = Path(folder, "folder")
            link.symlink_to(path.parent, target_is_directory=True)
            yield link / path.name
        else:
            link = Path(folder, f"model{path.suffix}" if is_utf8(path.suffix) else "model")
            link.symlink_to(path)
            yield link


class Scratch:
    """A temporary folder; creating one also removes those of processes that were killed."""

    def __init__(self) -> None:
        """Create the folder; raise OSError if the system has no temporary folder."""
        self._parent = Path(tempfile.gettempdir())
        remove_unlocked(
            self._parent, f"{_PREFIX}*", os.O_RDONLY | os.O_DIRECTORY, lambda path: shutil.rmtree(path, True)
        )
        while True:  # another process may remove the folder before it is locked
            self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._parent))
            self._handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(self._handle, fcntl.LOCK_EX)
            if self.folder.is_dir():
                break
            os.close(self._handle)

    def use(self) -> None:
        """Make it the temporary folder of this process and of the processes it starts from now on."""
        _replaced[:] = [self._parent]
        tempfile.tempdir = os.environ["TMPDIR"] = str(self.folder)

    def remove(self) -> None:
        """Remove the folder with everything in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._handle)
