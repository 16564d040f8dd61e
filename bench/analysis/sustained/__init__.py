"""Sustained load: whether a configuration stays as fast as in its first minutes."""
