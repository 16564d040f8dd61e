"""Predicted labels: which images two Runs have in common, and on which of them labels agree."""
