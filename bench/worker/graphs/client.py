"""The parent's side of a worker that runs any graph."""

from collections.abc import Mapping
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
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    memory_limit: int | None = None,
) -> GraphDescribed:
    """Return a model's inputs and outputs by loading it in a worker; raise WorkerFailed if it cannot be loaded."""
    with WorkerProcess(runtime, memory_limit, files=[file]) as worker:
        worker.wait_for(Ready, timeout)
        sizes = {name: list(shape) for name, shape in (shapes or {}).items()}
        request = DescribeGraph(file=file.absolute(), signature=signature, shapes=sizes)
        return worker.ask(request, GraphDescribed, timeout)
