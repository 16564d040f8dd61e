"""Tasks: what a model's outputs mean, how they are stored, scored, and compared."""
