"""Run files: names, writing and reading."""

import datetime
import re
from pathlib import Path

import msgspec

from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.disk_space import unwritable
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.io.record_codec import MAX_RUN_BYTES, encode_record, read_record
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_validation import check_run

__all__ = ["read_run", "read_run_with_checksum", "run_file_name", "store", "utc_now", "write_run"]

_SEE_JOURNAL = "its journal, which has all measurements, is kept"


def utc_now() -> str:
    """Return the present time in UTC, ISO 8601, in whole seconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def run_file_name(began: str, host: str, run_id: str, kind: str = "run") -> str:
    """Return a file name that sorts by time, such as ``run-20261123T201500Z-raspberrypi-1a2b3c4d.json``.

    Characters other than letters and digits are replaced, so ``host`` and ``run_id`` cannot make it a path.
    """
    stamp = datetime.datetime.fromisoformat(began).strftime("%Y%m%dT%H%M%SZ")
    machine, number = (re.sub(r"[^A-Za-z0-9]+", "-", text) for text in (host, run_id[:8]))
    return f"{kind}-{stamp}-{machine.strip('-')[:40] or 'machine'}-{number}.json"


def write_run(run: Run, folder: Path, *, again: bool = False) -> Path:
    """Write the Run into ``folder`` and return its path; raise ResultsError if that fails.

    Never replace a file, except with ``again``: the same run, with more of its trials.
    """
    path = folder / run_file_name(run.began, run.machine.hostname, run.run_id)
    try:
        check_run(run)
    except ValueError as cause:
        raise ResultsError(f"{path}: this Run could not be read back: {cause}", _SEE_JOURNAL) from None
    return store(run, path, again=again)


def store(record: msgspec.Struct, path: Path, *, again: bool = False) -> Path:
    """Write a record; replace a file only with ``again``; raise ResultsError if it cannot be written or read back."""
    try:
        data = encode_record(record, MAX_RUN_BYTES)
    except BadInput as cause:
        raise ResultsError(f"{path}: {cause.problem}", _SEE_JOURNAL) from None
    try:
        write_atomically(path, data, exclusive=not again)
    except OSError as cause:
        raise unwritable(path, cause, "choose another folder with --results") from None
    return path


def read_run(path: Path, remedy: str = "use a file that `edge-bench run` wrote") -> Run:
    """Return the Run in a file; raise ResultsError with ``remedy`` if it is not a valid Run."""
    return read_run_with_checksum(path, remedy)[0]


def read_run_with_checksum(path: Path, remedy: str) -> tuple[Run, str]:
    """Return the Run in a file as `read_run` does, and the SHA-256 of the file's content."""
    run, digest = read_record(path, Run, ResultsError, remedy, MAX_RUN_BYTES)
    try:
        check_run(run)
    except ValueError as cause:
        raise ResultsError(f"{path}: invalid or truncated run: {cause}", remedy) from None
    return run, digest
