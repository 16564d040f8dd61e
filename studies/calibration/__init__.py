"""Proof that the numbers hold: coverage, a thing compared with itself, another tool, the time it takes."""
