"""Comparisons of times for separate runs, for processes that differ, and as differences in seconds."""
