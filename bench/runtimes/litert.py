"""LiteRT (ai-edge-litert): the maintained successor of tflite-runtime, with the same interpreter."""

from edge_bench.bench.runtimes.base import Loader, ModelFile
from edge_bench.bench.runtimes.graphs.base import GraphFile, GraphLoader
from edge_bench.bench.runtimes.graphs.tflite import TfliteGraph
from edge_bench.bench.runtimes.tflite_interpreter import InterpreterSession

__all__ = ["import_graph_loader", "import_loader"]


def import_loader() -> Loader:
    """Import the library and return a loader of sessions."""
    from ai_edge_litert import interpreter

    def load(file: ModelFile) -> InterpreterSession:
        return InterpreterSession(interpreter, file)

    return load


def import_graph_loader() -> GraphLoader:
    """Import the library and return a loader of sessions for any inputs and outputs."""
    from ai_edge_litert import interpreter

    def load(file: GraphFile) -> TfliteGraph:
        return TfliteGraph(interpreter, file)

    return load
