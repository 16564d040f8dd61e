"""Tables of Runs and of their comparisons."""
