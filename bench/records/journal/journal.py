"""The journal of a run: each trial is on disk before the next one starts.

A file of lines. Each has a CRC-32 in hexadecimal, a space and one entry as JSON, and is appended and synced at once. A
line that a power cut has truncated has a wrong checksum and is dropped. When a run is complete, its Run file is written
and the journal removed. Until then ``run --resume`` continues it, and every command reads it as an incomplete Run.
"""

import fcntl
import os
import re
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from zlib import crc32

import msgspec

from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.interrupts import defer_interrupts
from edge_bench.bench.io.disk_space import unwritable
from edge_bench.bench.io.files import (
    fsync_folder,
    locked_temporary,
    open_regular_file,
    remove_leftovers,
    why_unreadable,
)
from edge_bench.bench.io.locks import lock
from edge_bench.bench.io.record_codec import (
    SCHEMA_VERSION,
    as_current,
    major_version,
    refuse_version,
    with_new_names,
)
from edge_bench.bench.io.record_limits import readable_json
from edge_bench.bench.records.journal.entries import Entry, RunStarted, TrialMade
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_validation import check_run, check_trial

__all__ = ["JOURNAL", "Journal", "read_journal", "still_measuring"]

JOURNAL = ".journal"
MAX_LINE = 64 << 20
#: Names of entries before schema 2.0, and their present names.
_RENAMED_ENTRIES = {
    b"Begun": b"RunStarted",
    b"ProcessBegan": b"ProcessStarted",
    b"ProcessEnded": b"ProcessFinished",
    b"Failed": b"ConfigurationFailed",
    b"Noticed": b"FindingAdded",
}
_OLD_ENTRY = re.compile(rb'^{"type":"(' + b"|".join(_RENAMED_ENTRIES) + rb')"')


class Journal:
    """A journal that this process is writing. Its lock excludes other writers and ends with the process."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path, self._handle = path, handle

    @classmethod
    def create(cls, path: Path, begun: Run) -> "Journal":
        """Create a journal with its first entry, renamed into place when complete; raise ResultsError on failure."""
        try:
            with defer_interrupts():
                remove_leftovers(path.parent)
                journal = cls._created(path, [RunStarted(run=begun)])
        except OSError as cause:
            raise unwritable(path, cause, "choose another folder with --results") from None
        except ValueError as cause:
            raise ResultsError(
                f"{path}: this run cannot be recorded: {cause}", "measure fewer configurations or images at a time"
            ) from None
        return journal

    @classmethod
    def _created(cls, path: Path, entries: Sequence[Entry]) -> "Journal":
        temporary, handle = locked_temporary(path)
        fcntl.fcntl(handle, fcntl.F_SETFL, os.O_APPEND)
        journal = cls(path, handle)
        try:
            for entry in entries:
                journal.append(entry)
            temporary.chmod(0o644)
            temporary.rename(path)
            fsync_folder(path.parent)
        except BaseException:
            journal.close()
            temporary.unlink(missing_ok=True)
            raise
        return journal

    @classmethod
    def reopen(cls, path: Path) -> "tuple[Journal, Run, list[Entry]]":
        """Open the journal of an ended run and cut off a truncated last line; raise BadInput if the run is not over.

        Return the journal, the Run before its first trial, and all entries since.
        """
        ended = BadInput(f"{path}: its run has just ended", "see its Run file")
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            raise ended from None
        if not lock(handle):
            os.close(handle)
            raise still_measuring(path)
        try:
            if not os.fstat(handle).st_nlink:
                raise ended
            run, entries, valid_bytes = _read(path)
            if major_version(run.schema_version) != major_version(SCHEMA_VERSION):
                # replaced by a journal of the current schema, so that no journal has entries of both
                run = as_current(run)
                journal = cls._created(path, [RunStarted(run=run), *entries])
                os.close(handle)
                return journal, run, entries
            os.ftruncate(handle, valid_bytes)
        except BaseException:
            os.close(handle)
            raise
        return cls(path, handle), run, entries

    def append(self, entry: Entry) -> None:
        """Write an entry to the disk; if that fails, undo it and raise OSError.

        Texts that are too long are shortened. Raise ValueError if the entry could not be read again.
        """
        payload = readable_json(entry, Entry)[1]
        line = memoryview(b"%08x %s\n" % (crc32(payload), payload))
        if len(line) >= MAX_LINE:
            raise ValueError(f"an entry of {len(line):,} bytes exceeds the limit of {MAX_LINE:,}")
        before = os.fstat(self._handle).st_size
        try:
            while line:
                line = line[os.write(self._handle, line) :]
            os.fsync(self._handle)
        except OSError:
            os.ftruncate(self._handle, before)
            raise

    def remove(self) -> None:
        """Remove the file, after the Run was written."""
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Release the lock; keep the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def still_measuring(path: Path) -> BadInput:
    """Return the error for a journal that cannot be continued, because its run is being measured."""
    return BadInput(f"{path}: its run is still measuring", "wait for it to end")


def read_journal(path: Path) -> tuple[Run, list[Entry]]:
    """Return the Run before its first trial and all valid entries since; raise ResultsError if it is not a journal."""
    run, entries, _ = _read(path)
    return run, entries


def _read(path: Path) -> tuple[Run, list[Entry], int]:
    decoder = msgspec.json.Decoder(Entry)
    entries: list[Entry] = []
    valid_bytes = 0
    try:
        with open_regular_file(path) as file:
            while line := file.readline(MAX_LINE):
                payload = _payload(line)
                if payload is None:
                    break  # truncated or damaged: later lines may not belong to this run
                try:
                    entries.append(decoder.decode(_OLD_ENTRY.sub(_with_new_type, with_new_names(payload))))
                except (ValueError, RecursionError) as cause:  # includes msgspec's and Unicode's errors
                    raise ResultsError(
                        f"{path}: entry {len(entries) + 1} is complete, but unknown to this version of edge-bench: "
                        f"{why_unreadable(cause)}",
                        "update edge-bench, or remove the file",
                    ) from None
                valid_bytes += len(line)
    except OSError as cause:
        raise ResultsError(f"{path}: cannot be read: {why_unreadable(cause)}") from None
    if not entries or not isinstance(entries[0], RunStarted):
        raise ResultsError(f"{path}: not the journal of a run, or damaged at its beginning", "remove it")
    try:
        run = entries[0].run
        refuse_version(path, run.schema_version, "journal", ResultsError)
        check_run(run)
        for entry in entries:
            if isinstance(entry, TrialMade):
                check_trial(run, entry.trial, run.images.indices.length)
    except ValueError as cause:
        raise ResultsError(f"{path}: not the journal of a run: {cause}", "remove it") from None
    return run, [entry for entry in entries[1:] if not isinstance(entry, RunStarted)], valid_bytes


def _payload(line: bytes) -> bytes | None:
    """Return the JSON of a line, None if it is truncated or damaged."""
    checksum, _, payload = line.partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % crc32(payload[:-1]):
        return None
    return payload[:-1]


def _with_new_type(match: re.Match[bytes]) -> bytes:
    return b'{"type":"%s"' % _RENAMED_ENTRIES[match[1]]
