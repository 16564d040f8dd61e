"""Measurements whose figures are in the docs, each with the command that repeats it."""
