"""TensorFlow as a requirement of training: whether it is installed, and its import without its output."""

import importlib.util
import tempfile
from pathlib import Path

from edge_bench.app.conversion.tensorflow_output import native_output_to
from edge_bench.bench.errors import MissingDependency
from edge_bench.bench.records.bundle import MANIFEST
from edge_bench.bench.runtimes.tensorflow.importing import import_tensorflow

__all__ = ["load_tensorflow", "require_tensorflow"]


def require_tensorflow(folder: Path) -> None:
    """Raise MissingDependency if there is no bundle in the folder yet, and no TensorFlow to train one.

    Called before any folder is created, so that a bare installation leaves none.
    """
    if not (folder / MANIFEST).exists() and importlib.util.find_spec("tensorflow") is None:
        raise _missing()


def load_tensorflow() -> None:
    """Import TensorFlow; raise MissingDependency without it."""
    try:
        # its native code prints at import, at any log level
        with tempfile.TemporaryFile() as log, native_output_to(log):
            import_tensorflow()
    except ImportError:
        raise _missing() from None


def _missing() -> MissingDependency:
    return MissingDependency(
        "training needs TensorFlow, which is not installed", "pip install 'edge-bench[host]', or use the host image"
    )
