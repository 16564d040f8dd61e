"""Tests of edge_bench.bench.system.tuning."""
