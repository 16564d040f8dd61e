"""Validation of intervals, verdicts and times. Figures: docs/calibration.md; ``make calibration`` runs all of it."""
