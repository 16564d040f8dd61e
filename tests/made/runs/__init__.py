"""Runs with known results."""
