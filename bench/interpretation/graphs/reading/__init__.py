"""How outputs are read for each task, and true values."""
