"""Scores of tasks with one row of numbers per example: regress, binary, multilabel."""
