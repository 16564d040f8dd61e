"""Measure local and remote inference of the same images."""
