"""Times of results, and their ratios: within a Run, between separate Runs, and in the tail."""
