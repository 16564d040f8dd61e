"""Predicted labels: the common images of two Runs, and the agreement of labels on them."""
