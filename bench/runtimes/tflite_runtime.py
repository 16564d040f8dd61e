"""tflite-runtime: the small TensorFlow Lite interpreter; 2.14 is its last release."""

from edge_bench.bench.runtimes.base import Loader, ModelFile
from edge_bench.bench.runtimes.tflite_interpreter import InterpreterSession

__all__ = ["import_loader"]


def import_loader() -> Loader:
    """Import the library and return a loader of sessions."""
    from tflite_runtime.interpreter import Interpreter

    def load(file: ModelFile) -> InterpreterSession:
        return InterpreterSession(Interpreter, file)

    return load
