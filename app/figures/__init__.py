"""Figures: each module returns a ``Drawing``; matplotlib is imported when a figure is drawn."""
