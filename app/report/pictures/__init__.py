"""What configurations of tasks other than classification disagree on: boxes, masks, numbers."""
