"""Figures: each module returns a ``Drawing``; matplotlib is imported when one is drawn."""
