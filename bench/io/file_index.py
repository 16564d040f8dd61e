"""An index of the files of a folder: what was derived from each, or from a group, kept in SQLite to derive it once.

The files remain the source of truth. The index only saves time. It can be deleted at any moment, and a missing, damaged
or locked one, a folder without permission to write, or a full disk have no other effect.

A file is unchanged if its size, its inode, and the modification times of its content and of its inode are. The kernel
sets the last one itself, so a file that is replaced by one of the same size and modification time is noticed. These
times have steps of up to two seconds. A file that had changed shortly before it was read, or in the future, may change
again in the same step, so its checksum is compared the next time.
"""

import contextlib
import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import read_bounded

__all__ = ["Derived", "FileIndex", "joined_checksum"]

#: A file is settled if it did not change during this time before it was read.
_SETTLED_NS = 3_000_000_000
#: How long to wait for another process, which locks the index only for the moment of writing.
_PATIENCE_SECONDS = 5.0
#: New entries are written after this time, so that a killed process loses few of them.
_WRITE_SECONDS = 2.0
_TABLES = (
    "CREATE TABLE IF NOT EXISTS parts (sha256 BLOB PRIMARY KEY, content BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS files (name BLOB PRIMARY KEY, state TEXT NOT NULL, settled INTEGER NOT NULL,"
    " sha256 TEXT NOT NULL, parts BLOB NOT NULL, own BLOB NOT NULL, checksum BLOB NOT NULL)",
)
_DIGEST_BYTES = 32
#: Errors that say nothing about the database itself.
_NOT_DAMAGED = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
)


class Derived(NamedTuple):
    """What was derived from a file, encoded."""

    sha256: str  # of the file's content; of several files, their `joined_checksum`
    own: bytes
    parts: tuple[bytes, ...]  # what many files have in common; each is stored once


class _Row(NamedTuple):
    """A file, or a group of files, as it is stored."""

    name: bytes  # or names, separated by zero bytes
    state: str  # size, inode, and both modification times of each
    settled: int
    sha256: str
    parts: bytes  # their SHA-256, one after the other
    own: bytes
    checksum: bytes  # of all these

    def is_intact(self) -> bool:
        return self.checksum == _checksum(self)


class FileIndex:
    """The index of one folder. Close it to write what is new."""

    def __init__(self, path: Path, limit: int) -> None:
        """Open or create the database ``path``. ``limit`` is the maximum size of an indexed file in bytes.

        Its name must be different for each folder, and for each version of the code that derives.
        """
        self.problem = ""  # why nothing is kept; empty if the index can be used
        self._path, self._limit = path, limit
        self._parts: dict[bytes, bytes] = {}  # by SHA-256
        self._rows: dict[bytes, _Row] = {}
        self._new: dict[bytes, _Row] = {}
        self._new_parts: dict[bytes, bytes] = {}
        self._written = time.monotonic()
        self._database = self._opened()

    def derived(
        self, folder: Path, groups: Sequence[Sequence[str]], derive: Callable[[list[Path]], Derived]
    ) -> Iterator[tuple[Derived | BadInput, bool]]:
        """Yield for each group of files in the folder what ``derive`` returns, and whether the index had it.

        A group is derived again if one of its files changed. A BadInput that ``derive`` raises is yielded, and not
        kept. All equal parts are the same object. Afterwards forget all other groups.
        """
        gone = set(self._rows)
        for names in groups:
            key, paths = os.fsencode("\0".join(names)), [folder / name for name in names]
            gone.discard(key)
            found = self._unchanged(key, paths)
            if found is not None:
                yield found, True
                continue
            try:
                found = self._keep(key, paths, derive)
            except BadInput as cause:
                yield cause, False
            else:
                yield found, False
        self._forget(gone)

    def close(self) -> None:
        """Write what is new."""
        self._write()
        if self._database:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
        self._database = None

    def _unchanged(self, key: bytes, paths: Sequence[Path]) -> Derived | None:
        """Return what was derived from files if they have not changed since then, otherwise None."""
        row = self._rows.pop(key, None)  # each is needed once
        if row is None:
            return None
        try:
            now = time.time_ns()
            statuses = [path.stat() for path in paths]
            state = _state_of(statuses)
            if state != row.state or not row.settled:
                # for example copied, linked, or on a file system that was mounted again
                digests = [hashlib.sha256(read_bounded(path, self._limit)).hexdigest() for path in paths]
                if joined_checksum(digests) != row.sha256:
                    return None
                seen = row._replace(state=state, settled=_is_settled(statuses, now))
                if seen != row and _state_of([path.stat() for path in paths]) == state:
                    self._add(seen)
        except (OSError, ValueError):
            return None
        return Derived(row.sha256, row.own, tuple(self._parts[digest] for digest in _digests(row.parts)))

    def _keep(self, key: bytes, paths: list[Path], derive: Callable[[list[Path]], Derived]) -> Derived:
        now, before = time.time_ns(), _statuses(paths)
        found = derive(paths)
        parts = {hashlib.sha256(part).digest(): part for part in found.parts}
        known = {digest: self._parts.setdefault(digest, part) for digest, part in parts.items()}
        found = found._replace(parts=tuple(known[hashlib.sha256(part).digest()] for part in found.parts))
        after = _statuses(paths)
        if before and after and _state_of(after) == _state_of(before):  # else it changed while it was read
            self._new_parts |= parts
            digests = b"".join(hashlib.sha256(part).digest() for part in found.parts)
            settled = _is_settled(before, now)
            self._add(_Row(key, _state_of(before), settled, found.sha256, digests, found.own, b""))
        return found

    def _add(self, row: _Row) -> None:
        self._new[row.name] = row._replace(checksum=_checksum(row))
        if time.monotonic() - self._written > _WRITE_SECONDS:
            self._write()

    def _write(self) -> None:
        """Write new rows. Keep nothing more if that is not possible."""
        self._written = time.monotonic()
        rows, parts = list(self._new.values()), list(self._new_parts.items())
        self._new, self._new_parts = {}, {}
        if not self._database or not rows:
            return
        try:
            with self._database:
                self._database.executemany("INSERT OR REPLACE INTO parts VALUES (?, ?)", parts)
                self._database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as cause:
            self._give_up(cause)

    def _forget(self, names: set[bytes]) -> None:
        if not self._database or not names:
            return
        try:
            with self._database:
                self._database.executemany("DELETE FROM files WHERE name = ?", [(name,) for name in names])
        except sqlite3.Error as cause:
            self._give_up(cause)

    def _opened(self, *, again: bool = True) -> sqlite3.Connection | None:
        """Open the database and read it; replace a damaged one if ``again``. Return None if that is not possible."""
        database: sqlite3.Connection | None = None
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # no write-ahead log: it needs shared memory, which a network file system does not have
            database = sqlite3.connect(self._path, timeout=_PATIENCE_SECONDS)
            self._read(database)
        except (sqlite3.Error, OSError, TypeError, ValueError, AttributeError) as cause:
            self._parts, self._rows, self.problem = {}, {}, _why(cause)
            if database:
                with contextlib.suppress(sqlite3.Error):
                    database.close()
            return self._opened(again=False) if again and self._removed_if_damaged(cause) else None
        self.problem = ""
        return database

    def _read(self, database: sqlite3.Connection) -> None:
        with database:
            for table in _TABLES:
                database.execute(table)
        parts = dict(database.execute("SELECT sha256, content FROM parts"))
        self._parts = {key: part for key, part in parts.items() if hashlib.sha256(part).digest() == key}
        for row in map(_Row._make, database.execute("SELECT * FROM files")):
            if row.is_intact() and all(digest in self._parts for digest in _digests(row.parts)):
                self._rows[row.name] = row

    def _removed_if_damaged(self, cause: Exception) -> bool:
        """Remove the database unless the cause is something else, such as a lock or a full disk."""
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        is_read_only = code == sqlite3.SQLITE_READONLY and not os.access(self._path, os.W_OK)
        if isinstance(cause, OSError) or code in _NOT_DAMAGED or is_read_only:
            return False
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
            return True
        return False

    def _give_up(self, cause: sqlite3.Error) -> None:
        self.problem = _why(cause)
        self._removed_if_damaged(cause)
        if self._database:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
        self._database = None


def joined_checksum(digests: Sequence[str]) -> str:
    """Return the checksum of a group of files by theirs."""
    return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()


def _statuses(paths: Sequence[Path]) -> list[os.stat_result] | None:
    try:
        return [path.stat() for path in paths]
    except OSError:
        return None


def _state_of(statuses: Sequence[os.stat_result]) -> str:
    return " ".join(f"{each.st_size} {each.st_ino} {each.st_mtime_ns} {each.st_ctime_ns}" for each in statuses)


def _is_settled(statuses: Sequence[os.stat_result], now: int) -> int:
    return int(max(max(each.st_mtime_ns, each.st_ctime_ns) for each in statuses) < now - _SETTLED_NS)


def _digests(parts: bytes) -> list[bytes]:
    return [parts[start : start + _DIGEST_BYTES] for start in range(0, len(parts), _DIGEST_BYTES)]


def _checksum(row: _Row) -> bytes:
    fields = (row.name, row.state.encode(), b"%d" % row.settled, row.sha256.encode(), row.parts, row.own)
    digest = hashlib.sha256()
    for field in fields:
        digest.update(b"%d:" % len(field))
        digest.update(field)
    return digest.digest()


def _why(cause: Exception) -> str:
    return (str(cause).splitlines() or [type(cause).__name__])[0][:200]
