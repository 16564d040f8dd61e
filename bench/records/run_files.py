"""Runs as files."""

import datetime
import re
from pathlib import Path

import msgspec

from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.io.record_codec import (
    decode_record,
    encode_record,
)
from edge_bench.bench.records.run import Run

__all__ = ["read_run", "run_file_name", "store", "utc_now", "write_run"]

#: A Run of 9 configurations, 30 trials of 10,000 latencies each, takes about 5 MB.
MAX_RUN_BYTES = 256 << 20


def utc_now() -> str:
    """UTC, ISO 8601, whole seconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def run_file_name(began: str, host: str, run_id: str, kind: str = "run") -> str:
    """``run-20261123T201500Z-raspberrypi-1a2b3c4d.json``: sorts by time, says which machine; a name and no path."""
    stamp = datetime.datetime.fromisoformat(began).strftime("%Y%m%dT%H%M%SZ")
    machine, number = (re.sub(r"[^A-Za-z0-9]+", "-", text) for text in (host, run_id[:8]))
    return f"{kind}-{stamp}-{machine.strip('-')[:40] or 'machine'}-{number}.json"


def write_run(run: Run, folder: Path, *, again: bool = False) -> Path:
    """Writes the Run into ``folder`` under a name of its own. ResultsError where it cannot.

    Never over a file, unless ``again``: the same run, now with more of its trials.
    """
    return store(run, folder / run_file_name(run.began, run.machine.hostname, run.run_id), again=again)


def store(record: msgspec.Struct, path: Path, *, again: bool = False) -> Path:
    """Writes a result where it belongs, over no file unless ``again``. ResultsError where it cannot."""
    try:
        write_atomically(path, encode_record(record), exclusive=not again)
    except OSError as cause:
        raise ResultsError(
            f"{path}: cannot be written: {cause.strerror}", "make room, or name another --results"
        ) from None
    return path


def read_run(path: Path) -> Run:
    """Reads a Run file; ResultsError with what is wrong."""
    from edge_bench.bench.records.run_validation import check_run

    remedy = "name a file that `edge-bench run` wrote"
    run = decode_record(path, Run, ResultsError, remedy, MAX_RUN_BYTES)
    try:
        check_run(run)
    except ValueError as cause:
        raise ResultsError(f"{path}: not a whole run: {cause}", remedy) from None
    return run
