"""``python -m edge_bench`` is the command ``edge-bench``."""

from edge_bench.app.cli.entry import main

main()
