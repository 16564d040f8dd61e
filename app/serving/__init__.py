"""Inference server for one model, with the Open Inference Protocol. The other modules need the extra ``serve``."""

import importlib.util

from edge_bench.bench.errors import MissingDependency

__all__ = ["require_server"]


def require_server() -> None:
    """Raise MissingDependency if a library of the server is not installed."""
    for library in ("httptools", "prometheus_client", "starlette", "uvicorn"):
        if importlib.util.find_spec(library) is None:
            raise MissingDependency(
                f"serving needs {library.replace('_', '-')}, which is not installed", "pip install 'edge-bench[serve]'"
            )
