"""Suppression of TensorFlow's output from Python and C++, which would hide results on stdout and errors on stderr."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import IO

__all__ = ["native_output_to", "silence_tensorflow"]


def silence_tensorflow() -> None:
    """Disable TensorFlow's log, since errors are raised as exceptions too. Call this before the first import."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    # the same code path on every machine, and no message about GPUs from C++ at every import
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


@contextlib.contextmanager
def native_output_to(log: IO[bytes]) -> Iterator[None]:
    """Redirect stdout and stderr of this process, native code included, to ``log``. Not thread-safe."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [(stream, os.dup(stream)) for stream in (1, 2)]
    try:
        for stream, _ in saved:
            os.dup2(log.fileno(), stream)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, duplicate in saved:
            os.dup2(duplicate, stream)
            os.close(duplicate)
