"""Profiles of configurations, measured by workers of their own."""
