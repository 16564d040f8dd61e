"""Analyses of Runs: comparison, agreement, attribution, history and regression gate."""
