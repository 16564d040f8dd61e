"""The Python API. Its names are those of the package edge_bench: load, compare, run, export, report."""
