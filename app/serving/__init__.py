"""The inference server: one model over the Open Inference Protocol. All in here but this needs the extra serve."""

import importlib.util

from edge_bench.bench.errors import MissingDependency

__all__ = ["require_server"]


def require_server() -> None:
    """MissingDependency where what a server needs is not installed."""
    for library in ("httptools", "prometheus_client", "starlette", "uvicorn"):
        if importlib.util.find_spec(library) is None:
            raise MissingDependency(
                f"serving needs {library.replace('_', '-')}, which is not installed", "pip install 'edge-bench[serve]'"
            )
