"""edge-bench: benchmark a machine-learning model on a host and on an edge device.

The Python API: load, compare and measure from Python. Examples of every function are in docs/python.md.

``edge_bench.app`` and ``edge_bench.bench`` are links to the folders ``app`` and ``bench`` beside this one, so that
an installed edge-bench cannot collide with a user's own packages of those names.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_bench.api.comparing import Comparison, compare
    from edge_bench.api.exporting import export
    from edge_bench.api.loading import load
    from edge_bench.api.outputs import Boxes
    from edge_bench.api.reporting import report
    from edge_bench.api.running import run
    from edge_bench.api.runs import Run, Runs
    from edge_bench.bench.errors import (
        BadInput,
        BundleError,
        DatasetError,
        EdgeBenchError,
        MissingDependency,
        NotTrusted,
        ResultsError,
    )
    from edge_bench.bench.version import __version__

__all__ = [
    "BadInput",
    "Boxes",
    "BundleError",
    "Comparison",
    "DatasetError",
    "EdgeBenchError",
    "MissingDependency",
    "NotTrusted",
    "ResultsError",
    "Run",
    "Runs",
    "__version__",
    "compare",
    "export",
    "load",
    "report",
    "run",
]

if not TYPE_CHECKING:  # a type checker would accept any name
    _ERRORS = ("BadInput", "BundleError", "DatasetError", "EdgeBenchError", "MissingDependency", "NotTrusted")
    _MODULES = {
        **dict.fromkeys((*_ERRORS, "ResultsError"), "bench.errors"),
        "Boxes": "api.outputs",
        "Comparison": "api.comparing",
        "Run": "api.runs",
        "Runs": "api.runs",
        "__version__": "bench.version",
        "compare": "api.comparing",
        "export": "api.exporting",
        "load": "api.loading",
        "report": "api.reporting",
        "run": "api.running",
    }

    def __getattr__(name):
        """Import on first use, so that importing the package or a submodule does not import everything."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)

    def __dir__():
        """Return all names, including those that are imported on first use."""
        return sorted({*globals(), *__all__})
