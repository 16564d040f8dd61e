"""The record of original values: a file that is on disk before the first setting is changed."""

import contextlib
import datetime
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import (
    foreign_writer,
    fsync_folder,
    read_bounded,
    read_text_or_empty,
    remove_leftovers,
    why_unreadable,
    write_atomically,
)
from edge_bench.bench.io.locks import lock
from edge_bench.bench.io.record_codec import BoundedStr
from edge_bench.bench.system.machine import in_container
from edge_bench.bench.system.tuning.settings import Group, group_of

__all__ = [
    "FOLDER",
    "Original",
    "Tuned",
    "boot_id",
    "locked_folder",
    "now",
    "read_tuned",
    "remove",
    "tuned_now",
    "tuned_settings",
    "write",
]

#: Folder of the record and of the lock, below the root folder. It survives a restart.
FOLDER = Path("var/lib/edge-bench")
_FILE = "tune.json"
#: 10,000 interrupts take about 1 MB.
_MAX_BYTES = 16 << 20
_MAX_ORIGINALS = 65_536
_VERSION = 1
#: A text of the kernel is at most a page.
_Content = Annotated[bytes, msgspec.Meta(max_length=65_536)]


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """A file, its content before `edge-bench tune`, and what was set; None if it is only restored."""

    path: BoundedStr
    content: _Content
    then: BoundedStr | None


class Tuned(msgspec.Struct, frozen=True, kw_only=True):
    """The original values of a tuned machine, and the cores to measure on."""

    version: int = _VERSION
    boot: BoundedStr  # boot id of the kernel: after a restart, all settings have their defaults again
    began: BoundedStr  # UTC, ISO 8601
    cpus: BoundedStr  # such as 4-7; empty: all
    originals: Annotated[list[Original], msgspec.Meta(max_length=_MAX_ORIGINALS)]  # in the order of their changes

    @property
    def summary(self) -> list[str]:
        """What was set, such as ``governor performance``, without repetition."""
        texts = {
            Group.GOVERNOR: "governor {}", Group.TURBO: "turbo off", Group.SWAP: "swappiness {}",
            Group.INTERRUPTS: "interrupts moved",
        }  # fmt: skip
        found = [(group_of(each.path), each.then) for each in self.originals if each.then is not None]
        return list(dict.fromkeys(texts[group].format(then) for group, then in found if group is not None))


def boot_id(root: Path) -> str:
    """Return the boot id of the running kernel; empty if there is none."""
    return read_text_or_empty(root / "proc/sys/kernel/random/boot_id").strip()


def now() -> str:
    """Return the time, UTC, ISO 8601, in seconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def read_tuned(root: Path) -> Tuned | None:
    """Return the record of this machine, also one from before a restart; None if there is none.

    Raise BadInput if it is damaged, of another version, or may have been written by another user: its paths are
    written as root.
    """
    path = root / FOLDER / _FILE
    try:
        if writer := foreign_writer(path):
            raise ValueError(writer)
        tuned = msgspec.json.decode(read_bounded(path, _MAX_BYTES), type=Tuned)
        if tuned.version != _VERSION:
            raise ValueError(f"it is of version {tuned.version}, and this edge-bench reads version {_VERSION}")
        if other := next((each.path for each in tuned.originals if group_of(each.path) is None), None):
            raise ValueError(f"{other[:200]} is no setting of edge-bench")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as cause:
        raise BadInput(
            f"{path}: cannot be used: {why_unreadable(cause)}",
            "restart the machine, which resets all settings, and delete the file",
        ) from None
    return tuned


def tuned_now(root: Path = Path("/")) -> Tuned | None:
    """Return the record if the machine is tuned at this moment; None if not, or if the record cannot be read."""
    try:
        tuned = read_tuned(root)
    except BadInput:
        return None
    return tuned if tuned is not None and tuned.boot == boot_id(root) else None


def tuned_settings(root: Path = Path("/")) -> list[str] | None:
    """Return what `edge-bench tune` has set, for a Run.

    None if it is unknown: in a container without the record, or if the record cannot be used.
    """
    try:
        tuned = read_tuned(root)
    except BadInput:
        return None
    if tuned is None or tuned.boot != boot_id(root):
        return None if in_container(root) else []
    return tuned.summary


def write(root: Path, tuned: Tuned) -> None:
    """Write the record so that it survives a crash of the machine; raise OSError if that fails."""
    write_atomically(root / FOLDER / _FILE, msgspec.json.format(msgspec.json.encode(tuned), indent=1) + b"\n")


def remove(root: Path) -> None:
    """Remove the record, durably. The folder is removed when its lock is released."""
    (root / FOLDER / _FILE).unlink(missing_ok=True)
    fsync_folder(root / FOLDER)


@contextlib.contextmanager
def locked_folder(root: Path) -> Iterator[None]:
    """Create and lock the folder of the record, and remove it afterwards unless it has one.

    Raise BadInput if another process has it locked.
    """
    folder = root / FOLDER
    while True:
        _create(folder)
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:  # another process has just removed it
            continue
        try:
            if not lock(handle, fcntl.LOCK_EX):
                raise BadInput("another edge-bench is tuning this machine", "wait until it has ended")
            if _is_at(handle, folder):
                try:
                    yield
                finally:
                    remove_leftovers(folder)  # of processes that were killed
                    with contextlib.suppress(OSError):  # it has a record or another file, or is a mount
                        folder.rmdir()
                return
        finally:
            os.close(handle)


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return
    folder.chmod(0o755)  # any user's `run` reads the record


def _is_at(handle: int, folder: Path) -> bool:
    """Return whether an open folder still has this path, so that its lock protects the path."""
    try:
        return os.path.samestat(os.fstat(handle), folder.stat())
    except FileNotFoundError:
        return False
