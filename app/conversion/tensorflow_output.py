"""TensorFlow talks on stdout and stderr, from Python and from C++; results and errors must not drown in it."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import IO

__all__ = ["native_output_to", "silence_tensorflow"]


def silence_tensorflow() -> None:
    """What goes wrong comes as a Python exception anyway; to be called before TensorFlow is first imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    # one machine, one code path: the message about it is printed by C++ at every import
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


@contextlib.contextmanager
def native_output_to(log: IO[bytes]) -> Iterator[None]:
    """Sends what this process and its native code print meanwhile into ``log``; for single-threaded moments."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(stream, os.dup(stream)) for stream in (1, 2)]
    try:
        for stream, _ in kept:
            os.dup2(log.fileno(), stream)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, copy in kept:
            os.dup2(copy, stream)
            os.close(copy)
