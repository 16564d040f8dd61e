"""Outputs of any model, compared number by number."""
