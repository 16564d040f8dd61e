"""Scripts that produce the figures in the docs. Run one as a module: ``python -m studies.calibration.coverage``."""
