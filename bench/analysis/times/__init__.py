"""Times of results, and ratios of them: within a Run, between separate Runs, and in the tail."""
