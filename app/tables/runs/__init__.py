"""Tables of Runs and their comparisons."""
