"""Comparison of configurations with a baseline, and the results derived from it."""
