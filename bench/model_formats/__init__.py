"""Readers of model files in pure Python."""
