"""Runs that `studies.calibration.self_comparison --keep` wrote, with all latencies.

Their configurations A and A′ classified fewer images than B and B′, which an ordinary Run cannot represent. So
`edge-bench` refuses these files, and the studies read them without that check.
"""

from collections.abc import Sequence
from pathlib import Path

from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.record_codec import MAX_RUN_BYTES, decode_record, encode_record
from edge_bench.bench.records.run import Run

__all__ = ["read_recorded", "write_recorded"]


def write_recorded(run: Run, folder: Path) -> None:
    """Write the Run to a new file in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    began = run.began[:19].replace(":", "").replace("-", "")
    (folder / f"run-{began}-{run.run_id[:8]}.json").write_bytes(encode_record(run))


def read_recorded(paths: Sequence[Path]) -> list[Run]:
    """Return the Runs of the files and of the folders' files, oldest first."""
    files = [file for path in paths for file in (sorted(path.glob("run-*.json")) if path.is_dir() else [path])]
    runs = [decode_record(file, Run, ResultsError, "create it again", MAX_RUN_BYTES) for file in files]
    return sorted(runs, key=lambda run: run.began)
