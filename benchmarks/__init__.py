"""Figures of the docs, each with the command that repeats it."""
