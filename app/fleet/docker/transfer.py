"""Folders as tar streams to and from volumes: bounded, and nothing leaves the folder it is meant for."""

import io
import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from edge_bench.app.fleet.docker.errors import EngineTrouble
from edge_bench.bench.io.files import sha256_of

__all__ = ["SUMS", "checksums", "files_in", "packed", "unpacked"]

#: What the images run as; any other user may read it, too.
USER = 10001
#: Beside the folder that they are of, as `sha256sum --check` reads them.
SUMS = "SHA256SUMS"
_CHUNK = 1 << 20


def files_in(folder: Path, leave_out: Iterable[str] = ()) -> list[Path]:
    """Every file in a folder, in the order of names, without what is below the names at its top to leave out.

    Links are not followed and not taken.
    """
    left_out = set(leave_out)
    return sorted(
        Path(parent) / name
        for parent, folders, names in os.walk(folder)
        for name in names
        if (Path(parent) / name).relative_to(folder).parts[0] not in left_out and not (Path(parent) / name).is_symlink()
    )


def checksums(folder: Path, files: Iterable[Path]) -> bytes:
    """A line a file, its SHA-256 and its path within the folder."""
    lines = []
    for path in files:
        name = path.relative_to(folder).as_posix()
        if "\n" in name or "\\" in name:
            raise EngineTrouble(f"{name!r}: not a name that travels", "rename it")
        lines.append(f"{sha256_of(path)}  {name}\n")
    return "".join(lines).encode()


def packed(folder: Path, files: Iterable[Path], name: str, sums: bytes) -> IO[bytes]:
    """A tar file, open at its beginning: the files below ``name``, and the checksums beside it. Close it."""
    file = tempfile.TemporaryFile(prefix="edge-bench-fleet-")  # noqa: SIM115 - it is the caller's to close
    with tarfile.open(fileobj=file, mode="w") as out:
        _folder(out, name)
        for parent in sorted({p for path in files for p in path.relative_to(folder).parents if p != Path()}):
            _folder(out, f"{name}/{parent.as_posix()}")
        for path in files:
            entry = tarfile.TarInfo(f"{name}/{path.relative_to(folder).as_posix()}")
            entry.size, entry.mode, entry.uid, entry.gid = path.stat().st_size, 0o644, USER, USER
            with path.open("rb") as content:
                out.addfile(entry, content)
        entry = tarfile.TarInfo(SUMS)
        entry.size, entry.mode = len(sums), 0o644
        out.addfile(entry, io.BytesIO(sums))
    file.seek(0)
    return file


def _folder(out: tarfile.TarFile, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, USER, USER
    out.addfile(entry)


def unpacked(
    stream: Iterator[bytes], to: Path, wanted: re.Pattern[str], most: int, on_bytes: Callable[[int], None]
) -> list[Path]:
    """Files of a tar stream whose whole name within it ``wanted`` matches, written below ``to``; the rest is passed.

    Only plain files, only of names that stay in the folder, together at most ``most`` bytes: EngineTrouble for more.
    """
    written: list[Path] = []
    try:
        with tarfile.open(fileobj=_Stream(stream, most, on_bytes), mode="r|") as archive:
            for member in archive:
                # not tarfile's own filters: Debian 12's Python has none
                parts = PurePosixPath(member.name).parts
                if not member.isfile() or not wanted.fullmatch(member.name) or ".." in parts or parts[0] == "/":
                    continue
                content, path = archive.extractfile(member), to.joinpath(*parts)
                if content is None or not path.resolve().is_relative_to(to.resolve()):
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as file:
                    while chunk := content.read(_CHUNK):
                        file.write(chunk)
                written.append(path)
    except (tarfile.TarError, FileExistsError, EOFError) as cause:
        raise EngineTrouble(f"fetching: what came is no archive: {cause}") from None
    return written


class _Stream(io.RawIOBase):
    """An iterator of bytes as a file to read, which ends in EngineTrouble past its limit."""

    def __init__(self, chunks: Iterator[bytes], most: int, on_bytes: Callable[[int], None]) -> None:
        self._chunks, self._left, self._on_bytes = chunks, most, on_bytes
        self._buffer = b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._buffer:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left -= len(chunk)
            if self._left < 0:
                raise EngineTrouble("fetching: more than a Run can be was sent", "look at that machine")
            self._on_bytes(len(chunk))
            self._buffer = chunk
        count = min(len(into), len(self._buffer))
        into[:count] = self._buffer[:count]
        self._buffer = self._buffer[count:]
        return count
