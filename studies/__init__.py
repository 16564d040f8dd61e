"""Scripts that produce the figures in the docs: ``python -m studies.calibration.coverage`` and so on."""
