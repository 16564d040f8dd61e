"""ncnn's loaders."""

from edge_bench.bench.runtimes.base import Loader
from edge_bench.bench.runtimes.graphs.base import GraphLoader
from edge_bench.bench.runtimes.ncnn.sessions import NcnnClassifier, NcnnGraph

__all__ = ["import_graph_loader", "import_loader"]


def import_loader() -> Loader:
    """Import the library and return a loader of sessions."""
    import ncnn  # noqa: F401 - an error of the import is reported as such

    return NcnnClassifier


def import_graph_loader() -> GraphLoader:
    """Import the library and return a loader of sessions for any inputs and outputs."""
    import ncnn  # noqa: F401

    return NcnnGraph
