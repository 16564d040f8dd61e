"""The two files of an ncnn model, a .param and a .bin beside it, and the checksum of models with several files."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import TypeVar

from edge_bench.bench.io.files import sha256_of
from edge_bench.bench.io.names import encode_json

__all__ = ["PARAM", "sha256_of_all", "weights_of"]

PARAM = ".param"
PathType = TypeVar("PathType", bound=PurePath)


def weights_of(path: PathType) -> PathType:
    """Return the file with the weights of a .param file."""
    return path.with_suffix(".bin")


def sha256_of_all(files: Mapping[str, Path], advance: Callable[[int], None] = lambda _: None) -> str:
    """Return the SHA-256 of the names and checksums of files by name, sorted by name.

    ``advance`` receives the number of bytes of every part that was read. Raise OSError if a file cannot be read.
    """
    sums = [(name, sha256_of(file, advance)) for name, file in sorted(files.items())]
    return hashlib.sha256(encode_json(sums)).hexdigest()
