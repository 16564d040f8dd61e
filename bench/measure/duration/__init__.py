"""How long a run takes: estimated from its warm-up, and chosen to fit in a budget."""
