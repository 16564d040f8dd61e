"""Cost of edge-bench itself in addition to the timed trials."""
