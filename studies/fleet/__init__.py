"""Costs of a fleet command."""
