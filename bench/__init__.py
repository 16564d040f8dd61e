"""The benchmark: everything that runs on any machine, the Raspberry Pi included.

Nothing here imports TensorFlow, typer, matplotlib or docker at module level, and nothing imports ``app``.
"""

from edge_bench.bench.version import __version__

__all__ = ["__version__"]
