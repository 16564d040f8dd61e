"""Checks, before any work starts, that the results fit on the disk."""

import errno
import os
import shutil
import tempfile
from pathlib import Path

from edge_bench.bench.errors import DiskFull, EdgeBenchError, ResultsError
from edge_bench.bench.io.record_codec import MAX_RUN_BYTES
from edge_bench.bench.wording import counted, size

__all__ = [
    "require_bundle_space",
    "require_free_space",
    "require_possible_folder",
    "require_run_space",
    "unwritable",
    "writable_folder",
]

#: Unit of the amounts in a message: bytes per unit, decimals.
_UNITS = {"MB": (1e6, 0), "GB": (1e9, 2)}
#: Bytes per parameter of all variants: Keras 4, float32 4, float16 2, dynamic 1, int8 1.
_VARIANTS = 4 + 4 + 2 + 1 + 1
#: Bytes per parameter of two checkpoints (the last and the one being written): float32 weights, Adam's two moments.
_CHECKPOINTS = 2 * 3 * 4
_REST = 16 << 20  # bytes for graphs, plots and the history


def require_free_space(folder: Path, needed_bytes: int, what: str, remedy: str, *, unit: str = "MB") -> None:
    """Raise DiskFull if fewer than ``needed_bytes`` are free in the folder, which must exist.

    ``what`` begins the message, with ``{}`` for the amount: "a run needs up to {} there".
    """
    free = shutil.disk_usage(folder).free
    if needed_bytes > free:
        scale, decimals = _UNITS[unit]
        needed, available = (f"{amount / scale:,.{decimals}f} {unit}" for amount in (needed_bytes, free))
        raise DiskFull(f"{folder}: {what.format(needed)}, but {available} are free", remedy)


def require_run_space(folder: Path, images: int, invocations: int, runs: int = 1) -> None:
    """Raise DiskFull if the files of a run, or of several one after another, do not fit in the folder.

    ``images`` counts the labels and ``invocations`` the timed invocations of all trials of all configurations. A
    packed latency takes about 3 bytes, the label and checksum of an image less than 2. Both are written twice, to the
    journal and to the Run. The journal is then removed. Raise ResultsError if a Run would be too large to be read
    back.
    """
    if 3 * invocations + 2 * images > MAX_RUN_BYTES:
        raise ResultsError(
            f"{folder}: a Run of {counted(invocations, 'timed invocation')} would be larger than "
            f"{size(MAX_RUN_BYTES)}, the "
            "limit for reading it back",
            "use a smaller --limit, fewer --trials, or fewer configurations at a time",
        )
    require_free_space(
        folder,
        (runs + 1) * (4 * invocations + 3 * images) + (8 << 20),
        "a run needs up to {} there" if runs == 1 else f"{runs} runs need up to {{}} there",
        "free disk space, use a smaller --limit or fewer --trials, or choose another folder with --results",
    )


def require_bundle_space(folder: Path, parameters: int, test_set: int, *, checkpoints: bool = False) -> None:
    """Raise DiskFull if a bundle does not fit in the folder.

    ``parameters`` is the number of the model's parameters, ``test_set`` the size of the test set in bytes. With
    ``checkpoints`` the model is still to be trained, which needs space for checkpoints, too.
    """
    needed = parameters * (_VARIANTS + (_CHECKPOINTS if checkpoints else 0)) + test_set + _REST
    remedy = "free disk space, or choose another folder with --bundle"
    require_free_space(folder, needed, "the bundle needs up to {} there", remedy)


def require_possible_folder(folder: Path) -> Path:
    """Return the folder, or the nearest existing one above it, in which it could be made; make nothing.

    Raise ResultsError if `writable_folder` would fail there.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists() or path.is_symlink())
    remedy = "choose a writable folder with --results"
    if not existing.is_dir():
        raise ResultsError(f"{folder}: cannot be written: {existing} is not a folder", remedy)
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ResultsError(f"{folder}: cannot be written: no permission in {existing}", remedy)
    return existing


def writable_folder(folder: Path) -> None:
    """Create the folder if necessary and raise ResultsError if no file can be written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as cause:
        raise unwritable(folder, cause, "choose a writable folder with --results") from None


def unwritable(
    path: Path,
    cause: OSError,
    remedy: str,
    error: type[EdgeBenchError] = ResultsError,
    *,
    what: str = "cannot be written",
) -> EdgeBenchError:
    """Return the error for a file or folder that cannot be written: DiskFull if there is no space, else ``error``."""
    problem = f"{path}: {what}: {cause.strerror}"
    if cause.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(problem, f"free disk space, or {remedy}")
    return error(problem, remedy)
