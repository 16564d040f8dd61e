"""edge-bench: benchmark a machine-learning model on a host and on an edge device.

``edge_bench.app`` and ``edge_bench.bench`` are links to the folders ``app`` and ``bench`` beside this one, so that
an installed edge-bench cannot collide with a user's own packages of those names.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_bench.bench.version import __version__

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    """Import on first use, so that importing a submodule costs nothing more than that submodule."""
    if name == "__version__":
        from edge_bench.bench.version import __version__

        return __version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
