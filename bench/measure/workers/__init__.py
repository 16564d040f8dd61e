"""Requests to workers before the trials: to prepare themselves, and to record outputs."""
