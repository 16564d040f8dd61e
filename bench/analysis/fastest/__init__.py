"""The search for the fastest configuration (``run --find-fastest``): finalists of the first round, and the outcome."""
