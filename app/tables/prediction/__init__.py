"""Output of ``predict``: sentences and tables."""
