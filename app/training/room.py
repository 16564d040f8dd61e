"""Whether a bundle will fit on the disk, asked before an hour is spent on it."""

import shutil
from pathlib import Path

from bench.errors import BadInput

__all__ = ["room_for_bundle"]

#: Bytes a parameter: 4 as Keras and as float32, 2 as float16, 1 as dynamic and as int8.
_VARIANTS = 4 + 4 + 2 + 1 + 1
#: Weights and Adam's two moments, in the last checkpoint and in the one being written beside it.
_CHECKPOINTS = 2 * 3 * 4
_REST = 16 << 20  # graphs, plots, history


def room_for_bundle(folder: Path, parameters: int, test_set: int, *, checkpoints: bool = False) -> None:
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
