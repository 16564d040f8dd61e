"""Preprocessing: image files to pixels, pixels to model inputs."""
