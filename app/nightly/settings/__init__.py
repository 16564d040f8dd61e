"""The file edge-bench.toml."""
