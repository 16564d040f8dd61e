"""Segmentation: a class for each pixel, mean IoU and pixel accuracy."""
