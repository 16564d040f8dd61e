"""Whether a folder will take the results, asked before anything is measured."""

import shutil
import tempfile
from pathlib import Path

from edge_bench.bench.errors import BadInput, ResultsError

__all__ = ["require_bundle_space", "require_run_space", "writable_folder"]


def require_run_space(folder: Path, images: int, invocations: int) -> None:
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


#: Bytes a parameter: 4 as Keras and as float32, 2 as float16, 1 as dynamic and as int8.
_VARIANTS = 4 + 4 + 2 + 1 + 1
#: Weights and Adam's two moments, in the last checkpoint and in the one being written beside it.
_CHECKPOINTS = 2 * 3 * 4
_REST = 16 << 20  # graphs, plots, history


def require_bundle_space(folder: Path, parameters: int, test_set: int, *, checkpoints: bool = False) -> None:
    """Raises BadInput where there is less room than a model of so many parameters and a test set of so many bytes take.

    With ``checkpoints`` it is still to be trained.
    """
    wanted = parameters * (_VARIANTS + (_CHECKPOINTS if checkpoints else 0)) + test_set + _REST
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise BadInput(
            f"{folder}: the bundle needs up to {wanted / 1e6:,.0f} MB there, and {free / 1e6:,.0f} MB are free",
            "make room, or name another folder with --bundle",
        )
