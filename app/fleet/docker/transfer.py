"""Transfer of folders to and from volumes as tar streams, limited in size and to the target folder."""

import contextlib
import errno
import io
import os
import re
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from edge_bench.app.fleet.docker.errors import EngineTrouble
from edge_bench.bench.io.archives import MAX_HEADERS, ArchiveError, extract_tar
from edge_bench.bench.io.disk_space import unwritable
from edge_bench.bench.io.files import sha256_of
from edge_bench.bench.progress import duration_text

__all__ = [
    "CHUNK_BYTES",
    "LARGER_TMPDIR",
    "SUMS_FILE",
    "OnBytes",
    "checksums",
    "chunks",
    "files_in",
    "megabytes",
    "packed",
    "unpacked",
    "writing_here",
]

#: The user id of the images' processes. Other users may read the files, too.
_USER_ID = 10001
#: A file beside the folder that it describes, in the format of `sha256sum --check`.
SUMS_FILE = "SHA256SUMS"
CHUNK_BYTES = 1 << 20
#: What to do if the folder for temporary files has no space.
LARGER_TMPDIR = "set TMPDIR to a folder on a larger disk"
#: A transfer that is too slow for this long is cancelled.
_MIN_BYTES_PER_SECOND, _MAX_SLOW_SECONDS = 1000, 300.0
#: Called with the number of bytes just transferred. It raises Cancelled to stop the transfer.
OnBytes = Callable[[int], None]


def megabytes(count: int, decimals: int = 0) -> str:
    """Return a number of bytes with its unit: ``1,234 MB``."""
    return f"{count / 1e6:,.{decimals}f} MB"


@contextlib.contextmanager
def writing_here(path: Path, remedy: str = "use a larger one") -> Iterator[None]:
    """Raise DiskFull if this machine's disk is full. Otherwise the error would be taken for one of the engine."""
    try:
        yield
    except OSError as cause:
        if cause.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise unwritable(path, cause, remedy) from None


def files_in(folder: Path, excluded: Iterable[str] = ()) -> list[Path]:
    """Return every file in a folder, sorted by path, without the excluded files and folders at its top level.

    Symbolic links are neither followed nor returned.
    """
    excluded = set(excluded)
    paths = (Path(parent) / name for parent, _, names in os.walk(folder) for name in names)
    return sorted(path for path in paths if path.relative_to(folder).parts[0] not in excluded and not path.is_symlink())


def checksums(folder: Path, files: Iterable[Path]) -> bytes:
    """Return one line per file: its SHA-256 and its path relative to the folder."""
    lines = []
    for path in files:
        name = path.relative_to(folder).as_posix()
        if "\n" in name or "\\" in name:
            raise EngineTrouble(f"{name!r}: names with line breaks or backslashes cannot be transferred", "rename it")
        lines.append(f"{sha256_of(path)}  {name}\n")
    return "".join(lines).encode()


def packed(folder: Path, files: Iterable[Path], name: str, sums: bytes) -> IO[bytes]:
    """Return an open tar file: the files below ``name``, and beside it their checksums. The caller closes it.

    Raise DiskFull if there is no space for it.
    """
    with writing_here(Path(tempfile.gettempdir()), LARGER_TMPDIR):
        file = tempfile.TemporaryFile(prefix="edge-bench-fleet-")  # noqa: SIM115 - the caller closes it
        _write_archive(file, folder, files, name, sums)
        file.seek(0)
    return file


def _write_archive(file: IO[bytes], folder: Path, files: Iterable[Path], name: str, sums: bytes) -> None:
    with tarfile.open(fileobj=file, mode="w") as out:
        _add_folder(out, name)
        for parent in sorted({p for path in files for p in path.relative_to(folder).parents if p != Path()}):
            _add_folder(out, f"{name}/{parent.as_posix()}")
        for path in files:
            entry = tarfile.TarInfo(f"{name}/{path.relative_to(folder).as_posix()}")
            entry.size, entry.mode, entry.uid, entry.gid = path.stat().st_size, 0o644, _USER_ID, _USER_ID
            with path.open("rb") as content:
                out.addfile(entry, content)
        entry = tarfile.TarInfo(SUMS_FILE)
        entry.size, entry.mode = len(sums), 0o644
        out.addfile(entry, io.BytesIO(sums))


def _add_folder(out: tarfile.TarFile, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, _USER_ID, _USER_ID
    out.addfile(entry)


def chunks(file: IO[bytes], on_bytes: OnBytes) -> Iterator[bytes]:
    """Yield a file's bytes. ``on_bytes`` is also called with 0 before each chunk, so that it can cancel."""
    while chunk := file.read(CHUNK_BYTES):
        on_bytes(0)
        yield chunk
        on_bytes(len(chunk))


def unpacked(
    stream: Iterator[bytes],
    target: Path,
    pattern: re.Pattern[str],
    max_bytes: int,
    on_bytes: OnBytes,
    max_headers: int = MAX_HEADERS,
) -> list[Path]:
    """Write the files of a tar stream whose full name matches ``pattern`` below ``target``, and return their paths.

    Other entries are skipped, and so are links and names outside the folder. Raise EngineTrouble if the stream has
    more than ``max_bytes``, or a sparse file, which could be far larger; DiskFull if there is no space for them.
    """
    try:
        source = _Stream(stream, on_bytes)
        with writing_here(target):
            return extract_tar(source, target, lambda name: bool(pattern.fullmatch(name)), max_bytes, max_headers)
    except ArchiveError as cause:
        raise EngineTrouble(f"fetching: not an archive of Runs: {cause}", "check that machine") from None


class _Stream:
    """A readable stream over an iterator of bytes."""

    def __init__(self, chunks: Iterator[bytes], on_bytes: OnBytes) -> None:
        self._chunks, self._on_bytes = chunks, on_bytes
        self._began, self._total = time.monotonic(), 0
        self._buffer = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, empty at the end."""
        while not self._buffer:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._on_bytes(len(chunk))
            self._total += len(chunk)
            seconds = time.monotonic() - self._began
            if seconds > _MAX_SLOW_SECONDS and self._total < _MIN_BYTES_PER_SECOND * seconds:
                raise EngineTrouble(f"fetching: {self._total:,} bytes in {duration_text(seconds)}", "check its network")
            self._buffer = memoryview(chunk)
        part, self._buffer = self._buffer[:size], self._buffer[size:]
        return bytes(part)
