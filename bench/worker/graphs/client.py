"""The parent's side of a worker that describes a graph."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_bench.bench.worker.graphs.messages import DescribeGraph, GraphDescribed
from edge_bench.bench.worker.messages import Ready
from edge_bench.bench.worker.process import WorkerProcess

__all__ = ["describe_graph"]


def describe_graph(
    runtime: str,
    file: Path,
    timeout: float,
    signature: str = "",
    shapes: Mapping[str, Sequence[int]] | None = None,
    memory_limit: int | None = None,
) -> GraphDescribed:
    """Return inputs and outputs of a model by loading it in a worker; raise WorkerFailed if it cannot be loaded.

    ``timeout`` is in seconds per step, ``memory_limit`` in bytes. ``shapes`` are of whole inputs with open axes.
    """
    with WorkerProcess(runtime, memory_limit, files=[file]) as worker:
        worker.wait_for(Ready, timeout)
        stated = {name: list(shape) for name, shape in (shapes or {}).items()}
        request = DescribeGraph(file=file.absolute(), signature=signature, shapes=stated)
        return worker.ask(request, GraphDescribed, timeout)
