"""Calibration of the latency prediction on this machine: its models, their measurement, and the device file."""
