"""A read-only web page of Runs over time. The other modules need the extra ``host``."""

import importlib.util

from edge_bench.bench.errors import MissingDependency

__all__ = ["require_dashboard"]


def require_dashboard() -> None:
    """Raise MissingDependency if a library of the dashboard is not installed."""
    for library in ("httptools", "matplotlib", "starlette", "uvicorn"):
        if importlib.util.find_spec(library) is None:
            raise MissingDependency(
                f"the dashboard needs {library}, which is not installed",
                "pip install 'edge-bench[host]', or use the host image",
            )
