"""scikit-learn's handwritten digits, read from its file: importing scikit-learn takes a second and needs SciPy."""

import gzip
import hashlib
import importlib.util
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import DatasetError, DatasetUnavailable

__all__ = ["digit_arrays"]

#: Of the decompressed file: 1,797 rows of 64 values from 0 to 16, and the digit.
_SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"
_FILE = "datasets/data/digits.csv.gz"


def digit_arrays() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return the images, enlarged from 8×8 to [1797, 28, 28, 1], and their labels [1797], in the order of the file.

    Raise DatasetUnavailable without scikit-learn, DatasetError if its file is not the known one.
    """
    path = _path()
    try:
        with gzip.open(path) as stream:
            data = stream.read()
    except (OSError, EOFError, zlib.error) as cause:
        raise DatasetError(f"{path}: cannot be read ({cause})", "install scikit-learn again") from None
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise DatasetError(f"{path}: wrong content: its SHA-256 is not {_SHA256[:16]}…", "install scikit-learn again")
    table = np.array([line.split(b",") for line in data.split()], dtype=np.float64)
    grey = np.round(table[:, :-1].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    # enlarged three times, with a margin of two pixels: 8 × 3 + 4 = 28
    images = np.pad(grey.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))[..., np.newaxis]
    return images, table[:, -1].astype(np.uint8)


def _path() -> Path:
    found = importlib.util.find_spec("sklearn")
    folders = found.submodule_search_locations if found else None
    for folder in folders or ():
        if (path := Path(folder, _FILE)).is_file():
            return path
    raise DatasetUnavailable(
        "the data set digits needs scikit-learn, which is not installed", "pip install 'edge-bench[host]'"
    )
