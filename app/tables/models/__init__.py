"""Output of ``inspect``, ``train`` and ``export``."""
