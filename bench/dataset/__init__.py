"""Test images and labels: find, decode, cache, sample, and choose their preprocessing."""
