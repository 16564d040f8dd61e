"""Nights of `edge-bench nightly`: their records, what is wrong now, and their pages."""
