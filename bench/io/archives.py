"""Archives from untrusted sources: only regular files are read, in constant memory, and the written bytes are counted.

tarfile alone is not enough. It keeps every member and reads extended headers of any size into memory, and a sparse
member of 512 bytes may expand to gigabytes. Only its parser of single headers is used here.
"""

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, Protocol

__all__ = ["ARCHIVE_ERRORS", "ArchiveError", "Readable", "TarFile", "extract_tar", "is_ordinary", "open_member",
           "tar_files"]  # fmt: skip

#: Headers of any kind, which take 20 to 40 µs each. A member has one or two.
MAX_HEADERS = 20_000
#: Extended headers of one member: long names, times, extended attributes.
MAX_EXTENDED_BYTES = 1 << 20
_BLOCK, _CHUNK = tarfile.BLOCKSIZE, 1 << 20
_EXTENDED = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
_ORDINARY = (tarfile.REGTYPE, tarfile.AREGTYPE)
#: Deflate and stored. bzip2 and LZMA expand more, and no program that edge-bench works with writes them.
_ZIP_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: Errors of Python's readers of damaged archives, besides OSError.
ARCHIVE_ERRORS = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError,
    RuntimeError, ValueError, OverflowError,
)  # fmt: skip


class ArchiveError(ValueError):
    """An archive that is damaged, too large, or has an unsupported kind of member."""


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, empty at the end."""


class TarFile(NamedTuple):
    """A regular file of a tar stream. ``chunks`` must be read before the next file is requested."""

    name: str
    size: int  # bytes
    chunks: Iterator[bytes]

    def content(self) -> bytes:
        """Return all bytes."""
        return b"".join(self.chunks)


def tar_files(stream: Readable, max_bytes: int, max_headers: int = MAX_HEADERS) -> Iterator[TarFile]:
    """Yield the regular files of an uncompressed tar stream. Folders, links, devices and pipes are skipped.

    Raise ArchiveError if the archive is damaged or has a sparse file in any form (GNU's and PAX'). Raise it also for
    more than ``max_headers`` headers, 1 MiB of extended headers for one member, or ``max_bytes`` in total.
    """
    reader = _Blocks(stream, max_bytes)
    extended, extended_bytes, headers = _Extended(), 0, 0
    while (block := reader.header()) is not None:
        headers += 1
        if headers > max_headers:
            raise ArchiveError(f"it has more than {max_headers:,} headers")
        member = _header(block)
        if member.type in (*_EXTENDED, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK):
            extended_bytes += member.size
            if extended_bytes > MAX_EXTENDED_BYTES:
                raise ArchiveError(f"it has more than {MAX_EXTENDED_BYTES:,} bytes of extended headers for one file")
            extended = extended.with_member(member.type, b"".join(reader.content(member.size)))
            continue
        if member.type == tarfile.GNUTYPE_SPARSE:
            raise ArchiveError(f"{member.name[:80]!r} is a sparse file")
        size = (member.size if extended.size is None else extended.size) if _has_content(member) else 0
        content = reader.content(size)
        if member.type in _ORDINARY:
            yield TarFile(extended.name or member.name, size, content)
        for _ in content:  # skip the rest
            pass
        extended, extended_bytes = _Extended(), 0


def extract_tar(
    stream: Readable,
    target: Path,
    wanted: Callable[[str], bool],
    max_bytes: int,
    max_headers: int = MAX_HEADERS,
) -> list[Path]:
    """Write the regular files whose full name is ``wanted`` below ``target``; return their paths.

    Names that lead outside are skipped. Raise ArchiveError as ``tar_files`` does, and if a file exists already.
    """
    written: list[Path] = []
    for file in tar_files(stream, max_bytes, max_headers):
        parts = PurePosixPath(file.name).parts
        if not parts or "\0" in file.name or not wanted(file.name) or ".." in parts or parts[0] == "/":
            continue
        path = target.joinpath(*parts)
        if not path.resolve().is_relative_to(target.resolve()):
            continue
        _write(file, path)
        written.append(path)
    return written


def _write(file: TarFile, path: Path) -> None:
    """Write a file, or nothing if its archive ends too early."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        out = path.open("xb")
    except (FileExistsError, NotADirectoryError):
        raise ArchiveError(f"{file.name[:80]!r} is in it twice") from None
    with out:
        try:
            for chunk in file.chunks:
                out.write(chunk)
        except BaseException:
            path.unlink()
            raise


def is_ordinary(member: tarfile.TarInfo) -> bool:
    """Return whether a member that tarfile has read is a regular file: not a link, a device or sparse in any form."""
    return member.type in _ORDINARY and not member.issparse() and not any(map(_is_sparse_key, member.pax_headers))


def open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int) -> IO[bytes]:
    """Open a regular, stored or deflated file of a zip for reading. It returns no more bytes than the zip states.

    Raise ArchiveError if it states more than ``max_bytes``, or is encrypted or of another kind.
    """
    name, kind = member.filename[:80], member.external_attr >> 28  # the upper 4 bits of st_mode
    if member.is_dir() or kind not in (0, 0o10):
        raise ArchiveError(f"{name!r} is not an ordinary file")
    if member.compress_type not in _ZIP_COMPRESSIONS or member.flag_bits & 1:
        raise ArchiveError(f"{name!r} is encrypted or not compressed with deflate")
    if member.file_size > max_bytes:
        raise ArchiveError(f"{name!r} would be unpacked to {member.file_size:,} bytes, more than {max_bytes:,}")
    return archive.open(member)


class _Blocks:
    """The blocks of a tar stream. Every byte counts towards the limit."""

    def __init__(self, stream: Readable, max_bytes: int) -> None:
        self._stream, self._left, self._max_bytes = stream, max_bytes, max_bytes

    def header(self) -> bytes | None:
        """Return the next header; None at the end of the archive, whose rest is read and discarded."""
        block = self._read(_BLOCK, at_end=True)
        if not block or block.count(0) == _BLOCK:
            while self._read(_CHUNK, at_end=True):
                pass
            return None
        if len(block) < _BLOCK:
            raise ArchiveError("it ends within a header")
        return block

    def content(self, size: int) -> Iterator[bytes]:
        """Yield the bytes of a member, and skip the padding of its last block."""
        filling = -size % _BLOCK
        while size:
            chunk = self._read(min(size, _CHUNK))
            size -= len(chunk)
            yield chunk
        if filling:
            self._read(filling)

    def _read(self, size: int, *, at_end: bool = False) -> bytes:
        """Return ``size`` bytes; fewer only with ``at_end``, at the end of the stream."""
        parts, missing = list[bytes](), size
        while missing and (part := self._stream.read(missing)):
            parts.append(part)
            missing -= len(part)
            self._left -= len(part)
            if self._left < 0:
                raise ArchiveError(f"it has more than {self._max_bytes:,} bytes")
        if missing and not at_end:
            raise ArchiveError("it ends within a member")
        return b"".join(parts)


class _Extended(NamedTuple):
    """Values from extended headers for the next member."""

    name: str = ""
    size: int | None = None

    def with_member(self, kind: bytes, content: bytes) -> "_Extended":
        if kind == tarfile.GNUTYPE_LONGNAME:
            return self._replace(name=_text(content.split(b"\0", 1)[0]))
        if kind == tarfile.GNUTYPE_LONGLINK:
            return self
        found = self
        for key, value in _pax_records(content):
            if _is_sparse_key(key):
                raise ArchiveError("it has a sparse file")
            if kind == tarfile.XGLTYPE and key in ("path", "size"):
                raise ArchiveError(f"a global header states a {key}")
            if key == "path":
                found = found._replace(name=_text(value))
            elif key == "size":
                if not value.isdigit() or len(value) > 18:
                    raise ArchiveError("it states a size that is not a number")
                found = found._replace(size=int(value))
        return found


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as cause:
        raise ArchiveError(f"it has a damaged header: {cause}") from None
    if member.size < 0:
        raise ArchiveError("it states a negative size")
    return member


def _has_content(member: tarfile.TarInfo) -> bool:
    """Return whether bytes follow a header: not after folders, links, devices and pipes, regardless of stated sizes."""
    return member.type in tarfile.REGULAR_TYPES or member.type not in tarfile.SUPPORTED_TYPES


def _pax_records(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the records of an extended header, each "LENGTH KEY=VALUE" and a line break."""
    start = 0
    while start < len(content) and content[start]:
        length, _, _ = content[start : start + 10].partition(b" ")
        end = start + int(length) if length.isdigit() else 0
        record = content[start + len(length) + 1 : end]
        key, separator, value = record.partition(b"=")
        if end > len(content) or end <= start or not separator or not value.endswith(b"\n"):
            raise ArchiveError("it has a damaged extended header")
        yield _text(key), value[:-1]
        start = end


def _is_sparse_key(key: str) -> bool:
    return key.startswith("GNU.sparse") or key in ("SCHILY.realsize", "SUN.holesdata")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
