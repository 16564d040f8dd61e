"""The journal of a run: every finished trial on disk, and whole, before the next one starts.

A file of lines, each a CRC-32 in hexadecimal, a space and one entry as JSON. A line is appended and synced at once;
what a power cut leaves of the last one is told by its checksum and dropped. When a run is complete its Run file is
written and the journal removed; until then ``run --resume`` goes on from it, and every command reads it as an
incomplete Run.
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
from edge_bench.bench.io.files import (
    fsync_folder,
    locked_temporary,
    open_regular_file,
    remove_leftovers,
    why_unreadable,
)
from edge_bench.bench.io.locks import lock
from edge_bench.bench.io.record_codec import (
    BoundedStr,
    NonNegativeInt,
    PackedArray,
    PositiveInt,
    as_current,
    with_new_names,
)
from edge_bench.bench.records.run import Failure, ProcessRecord, Run, Trial
from edge_bench.bench.records.run_validation import check_run, check_trial
from edge_bench.bench.system.machine import Finding

__all__ = [
    "JOURNAL",
    "ConfigurationFailed",
    "Entry",
    "FindingAdded",
    "Journal",
    "ProcessFinished",
    "ProcessStarted",
    "RunStarted",
    "TrialMade",
    "read_journal",
]  # fmt: skip

JOURNAL = ".journal"
MAX_LINE = 64 << 20
#: What entries were called before schema 2.0.
_RENAMED_ENTRIES = {
    b"Begun": b"RunStarted",
    b"ProcessBegan": b"ProcessStarted",
    b"ProcessEnded": b"ProcessFinished",
    b"Failed": b"ConfigurationFailed",
    b"Noticed": b"FindingAdded",
}
_OLD_ENTRY = re.compile(rb'^{"type":"(' + b"|".join(_RENAMED_ENTRIES) + rb')"')


class RunStarted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The first entry: the Run as it is before its first trial."""

    run: Run


class ProcessStarted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker of configuration ``number`` is warm."""

    number: NonNegativeInt
    record: ProcessRecord
    delegate: BoundedStr
    passes: PositiveInt  # a trial
    chunks: NonNegativeInt


class TrialMade(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A trial of configuration ``number``; ``generation`` is the one of the schedule that it belongs to."""

    number: NonNegativeInt
    generation: NonNegativeInt
    trial: Trial
    labels: PackedArray
    in_top_5: PackedArray | None = None  # 1 where the true label is among the five best


class ProcessFinished(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker has ended in good order."""

    number: NonNegativeInt
    process: NonNegativeInt
    memory_peak_bytes: NonNegativeInt


class ConfigurationFailed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A configuration has failed."""

    number: NonNegativeInt
    failure: Failure


class FindingAdded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that spoils the run came while it went on."""

    finding: Finding


Entry = RunStarted | ProcessStarted | TrialMade | ProcessFinished | ConfigurationFailed | FindingAdded


class Journal:
    """A journal that this process writes; nobody else can meanwhile, and a crash leaves no lock behind."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path, self._handle = path, handle
        self._encoder = msgspec.json.Encoder()

    @classmethod
    def create(cls, path: Path, begun: Run) -> "Journal":
        """A new one with its first entry, renamed into place when whole. ResultsError where it cannot be made."""
        try:
            with defer_interrupts():
                remove_leftovers(path.parent)
                journal = cls._created(path, begun)
        except OSError as cause:
            raise ResultsError(
                f"{path}: cannot be written: {cause.strerror}", "make room, or name another folder with --results"
            ) from None
        fsync_folder(path.parent)
        return journal

    @classmethod
    def _created(cls, path: Path, begun: Run) -> "Journal":
        temporary, handle = locked_temporary(path)
        fcntl.fcntl(handle, fcntl.F_SETFL, os.O_APPEND)
        journal = cls(path, handle)
        try:
            journal.append(RunStarted(run=begun))
            temporary.chmod(0o644)
            temporary.rename(path)
        except BaseException:
            journal.close()
            temporary.unlink(missing_ok=True)
            raise
        return journal

    @classmethod
    def reopen(cls, path: Path) -> "tuple[Journal, Run, list[Entry]]":
        """One that an ended run has left, its torn end cut off. BadInput where its run is still measuring."""
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        if not lock(handle):
            os.close(handle)
            raise BadInput(f"{path}: its run is still measuring", "wait for it to end")
        try:
            if not os.fstat(handle).st_nlink:
                raise BadInput(f"{path}: its run has just ended", "see its Run file")
            run, entries, whole = _read(path)
            os.ftruncate(handle, whole)
        except BaseException:
            os.close(handle)
            raise
        return cls(path, handle), run, entries

    def append(self, entry: Entry) -> None:
        """On disk when this returns. OSError where there is no room; what was there before stays whole."""
        payload = self._encoder.encode(entry)
        line = memoryview(b"%08x %s\n" % (crc32(payload), payload))
        before = os.fstat(self._handle).st_size
        try:
            while line:
                line = line[os.write(self._handle, line) :]
            os.fsync(self._handle)
        except OSError:
            os.ftruncate(self._handle, before)
            raise

    def remove(self) -> None:
        """The Run file holds everything now."""
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Gives the lock back; the file stays."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_journal(path: Path) -> tuple[Run, list[Entry]]:
    """What was on disk before the first trial, and every whole entry since. ResultsError where that is nothing."""
    run, entries, _ = _read(path)
    return run, entries


def _read(path: Path) -> tuple[Run, list[Entry], int]:
    decoder = msgspec.json.Decoder(Entry)
    found: list[Entry] = []
    whole = 0
    try:
        with open_regular_file(path) as file:
            while line := file.readline(MAX_LINE):
                entry = _entry(line, decoder)
                if entry is None:
                    break  # torn or damaged: nothing after it can be trusted to belong
                found.append(entry)
                whole += len(line)
    except OSError as cause:
        raise ResultsError(f"{path}: cannot be read: {why_unreadable(cause)}") from None
    if not found or not isinstance(found[0], RunStarted):
        raise ResultsError(f"{path}: not the journal of a run, or damaged at its beginning", "remove it")
    try:
        run = as_current(found[0].run)
        check_run(run)
        for entry in found:
            if isinstance(entry, TrialMade):
                check_trial(run, entry.trial, run.images.indices.length)
    except ValueError as cause:
        raise ResultsError(f"{path}: not the journal of a run: {cause}", "remove it") from None
    return run, _rest(found), whole


def _entry(line: bytes, decoder: "msgspec.json.Decoder[Entry]") -> Entry | None:
    checksum, _, payload = line.partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % crc32(payload[:-1]):
        return None
    try:
        return decoder.decode(_OLD_ENTRY.sub(_with_new_type, with_new_names(payload[:-1])))
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors, and so are Unicode's
        return None


def _with_new_type(found: re.Match[bytes]) -> bytes:
    return b'{"type":"%s"' % _RENAMED_ENTRIES[found[1]]


def _rest(found: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in found[1:] if not isinstance(entry, RunStarted)]
