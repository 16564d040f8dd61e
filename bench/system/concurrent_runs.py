"""Detection of concurrent runs on this machine, which make each other's measurements unreliable.

While it measures, a run keeps a locked *registry file* in a folder that all users of the machine share. It keeps
another in its results folder, because two containers may share only that. Only the run itself writes to its files. A
run detects others by their files: at its start the locked ones, later every new one. A run that ends while others are
measuring leaves its files behind unlocked, so that the others detect it, too. The last run removes them. A crash leaves
no lock behind. The boot id identifies registry files of other machines on a network file system.

Any user may write into the shared folder. Therefore records are small, with a limited set of characters, and only a
limited number is read. The worst effect of a record is to mark a run as unreliable, which its author could also achieve
with a run.
"""

import contextlib
import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from edge_bench.bench.interrupts import defer_interrupts
from edge_bench.bench.io.files import PART, locked_temporary, read_text_or_empty
from edge_bench.bench.io.locks import is_locked, remove_unlocked

__all__ = [
    "MAX_RUNS",
    "ConcurrentRunDetector",
    "RunInfo",
    "concurrent_runs",
    "detect_concurrent_runs",
    "remove_ended_runs",
    "runtime_folders",
]

_REGISTRY = "measuring"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
#: Maximum bytes of a registry file. A record takes fewer than 300.
_MAX_BYTES = 1024
#: Maximum number of registry files that are read in one folder. Those of this user and of root come first.
_MAX_FILES = 256
#: Maximum number of other runs that a run reports. There are seldom more than one or two.
MAX_RUNS = 16
#: Times of files are exact to a tick of the kernel's clock, which is at most 10 ms.
_CLOCK_NS = 50_000_000

_Id = Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z-]{1,64}$")]
_Host = Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z._?-]{0,64}$")]  # Linux: 64 characters
_Boot = Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z -]{0,64}$")]


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A run, as described by its registry file."""

    run_id: _Id
    process: Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)] = 0
    host: _Host = ""  # in a container, that of the container
    boot: _Boot = ""  # boot id of the kernel

    def __str__(self) -> str:
        return f"run {self.run_id[:8]}, process {self.process} on {self.host}"


def runtime_folders() -> list[Path]:
    """Return EDGE_BENCH_RUNTIME_DIR if set, else /run/lock (writable for all users on some systems) and /tmp."""
    if named := os.environ.get("EDGE_BENCH_RUNTIME_DIR"):
        return [Path(named)]
    return [Path("/run/lock"), Path("/tmp")]  # noqa: S108 - shared on purpose; its content is not trusted


@dataclass
class _Registry:
    """A folder with a registry file of this run."""

    folder: Path
    path: Path
    handle: int
    began_ns: int  # when the file was written, by the clock of its file system
    scanned_ns: int = 0  # modification time of the folder when all its files were last read; 0: read them again


class ConcurrentRunDetector:
    """The registry files of this run, and the other runs it has detected. Unusable folders are skipped."""

    def __init__(self, me: RunInfo) -> None:
        self._me = me
        self._registries: list[_Registry] = []
        self._found: dict[str, RunInfo] = {}
        self._reported: set[str] = set()

    def register(self, folders: Sequence[Path]) -> None:
        """Create a registry file in each folder, and detect the runs that are measuring now."""
        # own files first: if two runs start at once, at least one then detects the other
        self._registries += [found for folder in folders if (found := _create_registry_file(folder, self._me))]
        for folder in folders:
            active = list(_runs_in(folder, self._me))
            self._found |= {other.run_id: other for other in active}
            if not active:
                _remove_ended(folder)

    def poll(self) -> list[RunInfo]:
        """Return the runs found since the last call, ``MAX_RUNS`` in all; takes a system call per unchanged folder."""
        for registry in self._registries:
            with contextlib.suppress(OSError):
                changed_ns = registry.folder.stat().st_mtime_ns
                if changed_ns == registry.scanned_ns:
                    continue
                settled = time.time_ns() - changed_ns > _CLOCK_NS  # otherwise another change may have the same time
                registry.scanned_ns = changed_ns if settled else 0
                runs = _runs_in(registry.folder, self._me, ended_since_ns=registry.began_ns)
                self._found |= {other.run_id: other for other in runs}
        new = [other for run_id, other in self._found.items() if run_id not in self._reported]
        new = new[: MAX_RUNS - len(self._reported)]
        self._reported |= {other.run_id for other in new}
        return new

    def unregister(self) -> None:
        """Remove the registry files of this run, or leave them to other runs that are measuring there."""
        for registry in self._registries:
            others = any(True for _ in _runs_in(registry.folder, self._me))
            with contextlib.suppress(OSError):
                os.utime(registry.handle) if others else registry.path.unlink()
            os.close(registry.handle)
            if not others:
                _remove_ended(registry.folder)


@contextlib.contextmanager
def detect_concurrent_runs(run_id: str, host: str, *folders: Path) -> Iterator[ConcurrentRunDetector]:
    """Yield a detector that has registered this run in ``folders`` until the ``with`` block ends."""
    detector = ConcurrentRunDetector(
        RunInfo(run_id=run_id, process=os.getpid(), host=_recordable_host(host), boot=_boot_id())
    )
    try:
        with defer_interrupts():
            detector.register(list(dict.fromkeys(folders)))
        yield detector
    finally:
        detector.unregister()


def concurrent_runs(*folders: Path) -> list[RunInfo]:
    """Return the runs that are measuring on this machine now, ``MAX_RUNS`` at most."""
    me = RunInfo(run_id="none", boot=_boot_id())
    runs = {run.run_id: run for folder in dict.fromkeys(folders) for run in _runs_in(folder, me)}
    return list(runs.values())[:MAX_RUNS]


def remove_ended_runs(*folders: Path) -> None:
    """Remove the registry files of runs that were killed, unless a run is measuring that may still read them."""
    me = RunInfo(run_id="none", boot=_boot_id())
    for folder in dict.fromkeys(folders):
        if not any(True for _ in _runs_in(folder, me)):
            _remove_ended(folder)


def _create_registry_file(folder: Path, me: RunInfo) -> _Registry | None:
    try:
        path, handle = locked_temporary(folder / _REGISTRY, first=msgspec.json.encode(me) + b"\n")
    except OSError:  # not writable, full or missing
        return None
    with contextlib.suppress(OSError):
        os.fchmod(handle, 0o644)  # other users read it
    return _Registry(folder, path, handle, os.fstat(handle).st_mtime_ns)


def _runs_in(folder: Path, me: RunInfo, ended_since_ns: int | None = None) -> Iterator[RunInfo]:
    """Yield the other runs on this machine whose registry files in a folder are locked.

    With ``ended_since_ns`` also those whose files were written since then, locked or not.
    """
    for path in _registry_files(folder):
        with contextlib.suppress(OSError, ValueError, RecursionError):
            run, written_ns = _read_registry_file(path)
            if run.run_id == me.run_id or run.boot != me.boot:
                continue
            if (ended_since_ns is not None and written_ns >= ended_since_ns) or is_locked(path):
                yield run


def _registry_files(folder: Path) -> list[Path]:
    """Return at most ``_MAX_FILES`` ordinary files: this user's and root's first, then the newest."""
    found: list[tuple[bool, int, Path]] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:  # the folder cannot be read
        for entry in entries:
            if not (entry.name.startswith(f".{_REGISTRY}.") and entry.name.endswith(PART)):
                continue
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                    trusted = status.st_uid in (0, os.geteuid())
                    found.append((not trusted, -status.st_mtime_ns, Path(entry.path)))
    return [path for _, _, path in sorted(found)[:_MAX_FILES]]


def _read_registry_file(path: Path) -> tuple[RunInfo, int]:
    """Return the run in the first line and the file's modification time; raise OSError or ValueError."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not a regular file")
        first_line = os.read(handle, _MAX_BYTES).partition(b"\n")[0]  # older versions append to each other's files
    finally:
        os.close(handle)
    return msgspec.json.decode(first_line, type=RunInfo), status.st_mtime_ns


def _remove_ended(folder: Path) -> None:
    """Remove the files of ended and killed runs, as far as this user may."""
    remove_unlocked(folder, f".{_REGISTRY}.*{PART}", os.O_RDWR, Path.unlink)


def _recordable_host(host: str) -> str:
    return re.sub(r"[^0-9A-Za-z._-]", "?", host)[:64]


def _boot_id() -> str:
    """Return the boot id of the running kernel, which all its containers share; empty if there is none."""
    return read_text_or_empty(_BOOT_ID).strip()
