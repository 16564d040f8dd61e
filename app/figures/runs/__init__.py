"""Figures of Runs."""
