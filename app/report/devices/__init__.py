"""Sections on machines: those that were measured, and boards that are predicted."""
