"""The first import of TensorFlow in a process."""

import contextlib
import os
import sys
from collections.abc import Iterator

__all__ = ["import_tensorflow"]

#: Packages that Keras imports only if they are installed, and that edge-bench never uses through Keras. They take a
#: third of the time of the import and of its processor time, and 110 MiB: start time and memory would depend on them.
_OPTIONAL = ("matplotlib", "pandas", "sklearn")


def import_tensorflow() -> None:
    """Import TensorFlow and Keras: on the CPU only, without messages, and without optional packages.

    Errors are also raised as exceptions, so no message of its log is lost. Raise ImportError if it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    # the same code path on every machine, and no message about GPUs from C++ at every import
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with _not_importable(_OPTIONAL):
        import keras  # noqa: F401
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def _not_importable(names: tuple[str, ...]) -> Iterator[None]:
    """Let imports of packages fail that are not imported yet, as if they were not installed."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is how Python marks such a module
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
