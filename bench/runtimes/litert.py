"""LiteRT (ai-edge-litert): the maintained successor of tflite-runtime, with the same interpreter."""

from edge_bench.bench.runtimes.base import Loader, ModelFile
from edge_bench.bench.runtimes.tflite_interpreter import InterpreterSession

__all__ = ["import_loader"]


def import_loader() -> Loader:
    """Import the library and return a loader of sessions."""
    from ai_edge_litert.interpreter import Interpreter

    def load(file: ModelFile) -> InterpreterSession:
        return InterpreterSession(Interpreter, file)

    return load
