"""Detection of concurrent runs on this machine, which make each other's measurements unreliable.

While it measures, a run keeps a locked *registry file* in a folder that all users of the machine share, and another in
its results folder, which may be all that two containers share. A new run records the owners of all locked registry
files and appends itself to these files. So both runs know of each other, even if one has ended by then. A crash leaves
no lock behind. The boot id identifies registry files of other machines on a network file system.
"""

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge_bench.bench.interrupts import defer_interrupts
from edge_bench.bench.io.files import PART, locked_temporary, read_bounded, read_text_or_empty
from edge_bench.bench.io.locks import is_locked

__all__ = ["ConcurrentRunDetector", "RunInfo", "concurrent_runs", "detect_concurrent_runs", "runtime_folders"]

_REGISTRY = "measuring"
_MAX_BYTES = 1 << 20
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A run, as described by its entry in a registry file."""

    run_id: str
    process: int = 0
    host: str = ""  # in a container, that of the container
    boot: str = ""  # boot id of the kernel

    def __str__(self) -> str:
        return f"run {self.run_id[:8]}, process {self.process} on {self.host}"


def runtime_folders() -> list[Path]:
    """Return EDGE_BENCH_RUNTIME_DIR if set, else /run/lock (only on some systems open to all users) and /tmp."""
    if named := os.environ.get("EDGE_BENCH_RUNTIME_DIR"):
        return [Path(named)]
    return [Path("/run/lock"), Path("/tmp")]  # noqa: S108 - shared on purpose; its content is not trusted


@dataclass
class _RegistryFile:
    path: Path
    handle: int
    size: int = 0  # bytes that have been read


class ConcurrentRunDetector:
    """The registry files of this run, and the other runs it has found; files that cannot be used are skipped."""

    def __init__(self, me: RunInfo) -> None:
        self._me = me
        self._files: list[_RegistryFile] = []
        self._found: dict[str, RunInfo] = {}
        self._reported: set[str] = set()

    def register(self, folders: Sequence[Path]) -> None:
        """Create a registry file in each folder, and append this run to those of all other runs."""
        # own files first: of two runs that start at once, at least one then finds the other and appends itself
        self._files += [file for folder in folders if (file := _create_registry_file(folder, self._me))]
        for folder in folders:
            self._found |= {other.run_id: other for other in _active_runs(folder, self._me, append=True)}

    def poll(self) -> list[RunInfo]:
        """Return the runs found since the last call; takes one system call per file if there are none."""
        for file in self._files:
            with contextlib.suppress(OSError):
                size = os.fstat(file.handle).st_size
                if size > file.size:
                    file.size = size
                    entries = _decode_entries(os.pread(file.handle, min(size, _MAX_BYTES), 0))
                    self._found |= {other.run_id: other for other in entries if self._is_other(other)}
        new = [other for run_id, other in self._found.items() if run_id not in self._reported]
        self._reported |= {other.run_id for other in new}
        return new

    def _is_other(self, other: RunInfo) -> bool:
        return other.run_id != self._me.run_id and other.boot == self._me.boot

    def unregister(self) -> None:
        """Remove the registry files of this run."""
        for file in self._files:
            with contextlib.suppress(OSError):
                file.path.unlink()
            os.close(file.handle)


@contextlib.contextmanager
def detect_concurrent_runs(run_id: str, host: str, *folders: Path) -> Iterator[ConcurrentRunDetector]:
    """Yield a detector that has registered this run in ``folders`` until the ``with`` block ends."""
    detector = ConcurrentRunDetector(RunInfo(run_id=run_id, process=os.getpid(), host=host, boot=_boot_id()))
    try:
        with defer_interrupts():
            detector.register(list(dict.fromkeys(folders)))
        yield detector
    finally:
        detector.unregister()


def concurrent_runs(host: str, *folders: Path) -> list[RunInfo]:
    """Return the runs that are measuring on this machine now, according to the registry files in ``folders``."""
    me = RunInfo(run_id="", host=host, boot=_boot_id())
    runs = [run for folder in dict.fromkeys(folders) for run in _active_runs(folder, me, append=False)]
    return list({run.run_id: run for run in runs}.values())


def _create_registry_file(folder: Path, me: RunInfo) -> _RegistryFile | None:
    try:
        path, handle = locked_temporary(folder / _REGISTRY, first=_encode_entry(me))  # the first line is the owner
    except OSError:  # not writable, full or missing
        return None
    with contextlib.suppress(OSError):
        os.fchmod(handle, 0o666)  # other users append to it too
    return _RegistryFile(path, handle)


def _active_runs(folder: Path, me: RunInfo, *, append: bool) -> Iterator[RunInfo]:
    """Yield the owners of all locked registry files in a folder; with ``append`` add this run to these files."""
    paths: list[Path] = []
    with contextlib.suppress(OSError):  # the folder cannot be read
        paths += folder.glob(f".{_REGISTRY}.*{PART}")
    for path in paths:
        with contextlib.suppress(OSError, ValueError):
            owner, *_ = _decode_entries(_content(path))
            if owner.run_id != me.run_id and owner.boot == me.boot and is_locked(path):
                if append:
                    _append_entry(path, me)
                yield owner


def _content(path: Path) -> bytes:
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ValueError("no file")
    return read_bounded(path, _MAX_BYTES)


def _append_entry(path: Path, me: RunInfo) -> None:
    with contextlib.suppress(OSError):  # if this fails, at least this run knows of the other
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(handle, _encode_entry(me))
        finally:
            os.close(handle)


def _encode_entry(run: RunInfo) -> bytes:
    return msgspec.json.encode(run) + b"\n"


def _decode_entries(content: bytes) -> list[RunInfo]:
    entries = []
    for line in content.splitlines():
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            entries.append(msgspec.json.decode(line, type=RunInfo))
    return entries


def _boot_id() -> str:
    """Return the boot id of the running kernel, which all its containers share; empty if there is none."""
    return read_text_or_empty(_BOOT_ID).strip()
