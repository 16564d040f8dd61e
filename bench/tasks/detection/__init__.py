"""Object detection: boxes, their score against true boxes, and the agreement of two configurations."""
