"""Recurring runs: measure a fleet every night, find changes, confirm them and notify."""
