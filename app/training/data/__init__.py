"""Data sets for training: download, verification and reading."""
