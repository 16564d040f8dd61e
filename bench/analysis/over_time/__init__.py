"""Measurements of the same configurations over time."""
