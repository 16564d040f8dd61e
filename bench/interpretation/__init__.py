"""Interpretation: how models get the images, and the class of each output, unless the user stated them."""
