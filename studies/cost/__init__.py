"""What edge-bench itself costs beside the timed trials."""
