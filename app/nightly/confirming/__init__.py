"""Second measurements of changes."""
