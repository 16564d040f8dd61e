"""Disk space, archives and silent engines."""
