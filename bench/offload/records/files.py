"""Files of Offload records."""

from pathlib import Path

from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.record_codec import MAX_RUN_BYTES, decode_record
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.records.run_files import run_file_name, store

__all__ = ["offload_files", "read_offload", "write_offload"]


def write_offload(offload: Offload, folder: Path) -> Path:
    """Write an Offload to a new file in ``folder`` and return its path. Raise ResultsError if that fails."""
    name = run_file_name(offload.began, offload.machine.hostname, offload.offload_id, "offload")
    return store(offload, folder / name)


def read_offload(path: Path) -> Offload:
    """Read an Offload file. Raise ResultsError with the reason if it is unreadable or invalid."""
    from edge_bench.bench.offload.records.validation import check_offload

    remedy = "use a file that `edge-bench offload` wrote"
    offload = decode_record(path, Offload, ResultsError, remedy, MAX_RUN_BYTES)
    try:
        check_offload(offload)
    except ValueError as cause:
        raise ResultsError(f"{path}: invalid or truncated offload: {cause}", "measure it again") from None
    return offload


def offload_files(folder: Path) -> list[Path]:
    """Return the Offload files in a folder, oldest first."""
    return sorted(folder.glob("offload-*.json"))
