"""OpenVINO's loaders."""

from edge_bench.bench.runtimes.base import Loader
from edge_bench.bench.runtimes.graphs.base import GraphLoader
from edge_bench.bench.runtimes.openvino.classifier import OpenVinoClassifier
from edge_bench.bench.runtimes.openvino.graph import OpenVinoGraph
from edge_bench.bench.runtimes.openvino.library import import_openvino

__all__ = ["import_graph_loader", "import_loader"]


def import_loader() -> Loader:
    """Import the library and return a loader of sessions."""
    import_openvino()

    return OpenVinoClassifier


def import_graph_loader() -> GraphLoader:
    """Import the library and return a loader of sessions for any inputs and outputs."""
    import_openvino()

    return OpenVinoGraph
