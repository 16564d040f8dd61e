"""The output of each command as ``Table`` records."""
