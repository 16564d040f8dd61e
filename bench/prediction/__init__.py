"""Prediction of latencies on devices that are not at hand, from a model's operators and a device file."""
