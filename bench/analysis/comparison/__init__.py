"""Comparison of configurations with a baseline, and what follows from it."""
