"""Tasks: what a model's outputs mean, how they are scored, and how two configurations agree."""
