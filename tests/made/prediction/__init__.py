"""Predictions, devices and models of tests of ``predict``."""
