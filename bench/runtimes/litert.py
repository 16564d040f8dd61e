"""LiteRT (ai-edge-litert): the maintained successor of tflite-runtime, with the same interpreter."""

from pathlib import Path

from bench.runtimes.base import Loader
from bench.runtimes.tflite import InterpreterSession

__all__ = ["import_loader"]


def import_loader() -> Loader:
    """Imports the library; the loader it returns gives a session."""
    from ai_edge_litert.interpreter import Interpreter

    def load(path: Path, threads: int, batch_size: int) -> InterpreterSession:
        return InterpreterSession(Interpreter, path, threads, batch_size)

    return load
