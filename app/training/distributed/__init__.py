"""Training with several worker processes at once."""
