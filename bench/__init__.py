"""The benchmark: everything that runs on any machine, including the Raspberry Pi.

No module imports TensorFlow, typer, matplotlib or docker at module level, and none imports ``app``.
"""

from edge_bench.bench.version import __version__

__all__ = ["__version__"]
