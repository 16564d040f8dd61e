"""Commands of recurring runs: ``nightly`` and ``schedule``."""
