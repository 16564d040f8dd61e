"""Nights of `edge-bench nightly` with known content."""
