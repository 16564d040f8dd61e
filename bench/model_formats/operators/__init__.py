"""Operators of model files with their names."""
