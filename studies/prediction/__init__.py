"""Fits of the device files, the errors of their predictions, and predictions compared with measurements here."""
