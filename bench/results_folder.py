"""Whether a folder will take the results, asked before anything is measured."""

import shutil
import tempfile
from pathlib import Path

from bench.errors import ResultsError

__all__ = ["room_for", "writable_folder"]


def room_for(folder: Path, images: int, invocations: int) -> None:
    """Raises ResultsError where a run's files would not fit, before anything is measured.

    images: that all trials of all configurations label together; invocations: that they time. Packed latencies take
    some 3 bytes each, labels and checksums less than 2 an image; both are in the journal and in the Run.
    """
    wanted, free = 2 * (4 * invocations + 3 * images) + (8 << 20), shutil.disk_usage(folder).free
    if wanted > free:
        raise ResultsError(
            f"{folder}: a run needs up to {wanted / 1e6:,.0f} MB there, and {free / 1e6:,.0f} MB are free",
            "make room, use a smaller --limit or fewer --trials, or name another folder with --results",
        )


def writable_folder(folder: Path) -> None:
    """Raises ResultsError now rather than after an hour of measuring."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as cause:
        raise ResultsError(
            f"{folder}: cannot be written: {cause.strerror}", "name a folder you may write with --results"
        ) from None
