"""Who else measures on this machine: two runs at once spoil both, so each learns of the other.

A run keeps a *guest book* while it measures: a file, locked as long as it lives, in a folder that all users of the
machine share, and one in its results folder, which containers may share that share nothing else. Who begins a run signs
the book of everyone who is measuring, and notes who that was. So both know, also where the other came and went in
between; and a crash leaves no lock behind. Books of other machines, on a network file system, are told by the boot id.
"""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge_bench.bench.interrupts import defer_interrupts
from edge_bench.bench.io.files import PART, locked_temporary, read_bounded

__all__ = ["ConcurrentRunDetector", "RunInfo", "concurrent_runs", "detect_concurrent_runs", "runtime_folders"]

_REGISTRY = "measuring"
_LONGEST = 1 << 20
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A run that measured at the same time, as it introduced itself."""

    run_id: str
    process: int = 0
    host: str = ""  # in a container its own name
    boot: str = ""

    def __str__(self) -> str:
        return f"run {self.run_id[:8]}, process {self.process} on {self.host}"


def runtime_folders() -> list[Path]:
    """EDGE_BENCH_RUNTIME_DIR, else /run/lock and /tmp: the first is everybody's on some systems, root's on others."""
    if named := os.environ.get("EDGE_BENCH_RUNTIME_DIR"):
        return [Path(named)]
    return [Path("/run/lock"), Path("/tmp")]  # noqa: S108 - meant to be shared; nothing in it is trusted


@dataclass(frozen=True)
class _Registry:
    path: Path
    handle: int


class ConcurrentRunDetector:
    """The guest books of this run, and whom it has met. Advisory: what cannot be read or written is passed over."""

    def __init__(self, me: RunInfo) -> None:
        self._me = me
        self._books: list[_Registry] = []
        self._read: dict[Path, int] = {}
        self._met: dict[str, RunInfo] = {}
        self._told: set[str] = set()

    def register(self, folders: Sequence[Path]) -> None:
        """Opens the books in these folders, and signs those of everyone who is measuring now."""
        # books first, then the others': of two that begin at once, at least one sees the other, and signs
        self._books += [book for folder in folders if (book := _open_registry(folder, self._me))]
        for folder in folders:
            self._met |= {other.run_id: other for other in _read_registry(folder, self._me, sign=True)}

    def poll(self) -> list[RunInfo]:
        """Whom it has met since this was last asked: two system calls where nobody came."""
        for book in self._books:
            with contextlib.suppress(OSError):
                size = os.fstat(book.handle).st_size
                if size > self._read.get(book.path, 0):
                    self._read[book.path] = size
                    guests = _decode_entries(os.pread(book.handle, min(size, _LONGEST), 0))
                    self._met |= {other.run_id: other for other in guests if self._is_other(other)}
        new = [other for run_id, other in self._met.items() if run_id not in self._told]
        self._told |= {other.run_id for other in new}
        return new

    def _is_other(self, other: RunInfo) -> bool:
        return other.run_id != self._me.run_id and other.boot == self._me.boot

    def unregister(self) -> None:
        """Closes the books; what was in them has been read."""
        for book in self._books:
            with contextlib.suppress(OSError):
                book.path.unlink()
            os.close(book.handle)


@contextlib.contextmanager
def detect_concurrent_runs(run_id: str, host: str, *places: Path) -> Iterator[ConcurrentRunDetector]:
    """A run's time on this machine, with its guest books in ``places``."""
    here = ConcurrentRunDetector(RunInfo(run_id=run_id, process=os.getpid(), host=host, boot=_boot_id()))
    try:
        with defer_interrupts():
            here.register(list(dict.fromkeys(places)))
        yield here
    finally:
        here.unregister()


def concurrent_runs(host: str, *places: Path) -> list[RunInfo]:
    """Everyone who is measuring on this machine at this moment, as far as these places tell."""
    me = RunInfo(run_id="", host=host, boot=_boot_id())
    found = [other for folder in dict.fromkeys(places) for other in _read_registry(folder, me, sign=False)]
    return list({other.run_id: other for other in found}.values())


def _open_registry(folder: Path, me: RunInfo) -> _Registry | None:
    try:
        path, handle = locked_temporary(folder / _REGISTRY, first=_encode_entry(me))  # the first line says whose it is
    except OSError:  # not writable, full, or not there
        return None
    with contextlib.suppress(OSError):
        os.fchmod(handle, 0o666)  # other users sign it, too
    return _Registry(path, handle)


def _read_registry(folder: Path, me: RunInfo, *, sign: bool) -> Iterator[RunInfo]:
    """The owners of all books that are locked, which is as long as they live; the books are signed."""
    paths: list[Path] = []
    with contextlib.suppress(OSError):  # a folder that is not ours to read
        paths += folder.glob(f".{_REGISTRY}.*{PART}")
    for path in paths:
        with contextlib.suppress(OSError, ValueError):
            owner, *_ = _decode_entries(_content(path))
            if owner.run_id != me.run_id and owner.boot == me.boot and _locked(path):
                if sign:
                    _write_entry(path, me)
                yield owner


def _content(path: Path) -> bytes:
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ValueError("no file")
    return read_bounded(path, _LONGEST)


def _locked(path: Path) -> bool:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as cause:
        return cause.errno in (errno.EWOULDBLOCK, errno.EACCES)  # else there are no locks here: nothing can be known
    finally:
        os.close(handle)
    return False


def _write_entry(path: Path, me: RunInfo) -> None:
    with contextlib.suppress(OSError):  # where it cannot be signed, at least this run knows
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(handle, _encode_entry(me))
        finally:
            os.close(handle)


def _encode_entry(other: RunInfo) -> bytes:
    return msgspec.json.encode(other) + b"\n"


def _decode_entries(content: bytes) -> list[RunInfo]:
    found = []
    for line in content.splitlines():
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found.append(msgspec.json.decode(line, type=RunInfo))
    return found


def _boot_id() -> str:
    """Of the kernel that is running, the same in all its containers; empty where there is none to read."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
