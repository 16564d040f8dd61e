"""Offload: measure local and remote inference of the same images in one run, and compare them."""
