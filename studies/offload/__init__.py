"""Accuracy of the break-even predictions and of the simulated links."""
