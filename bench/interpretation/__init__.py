"""Interpretation: how models get the images, and which output stands for which class, unless that was stated."""
