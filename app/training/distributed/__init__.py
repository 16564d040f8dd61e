"""Training by several worker processes at once."""
