"""Statistics: intervals, ratios, latency percentiles, Pareto front. Imports nothing of the project."""
