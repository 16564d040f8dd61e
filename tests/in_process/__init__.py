"""Converters and workers in the process of a test."""
