"""Nights of a fleet: what `edge-bench nightly` finds, and its false alarms."""
