"""Data sets for training: download, check, read."""
