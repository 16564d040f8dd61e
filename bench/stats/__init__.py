"""Statistics: intervals, ratios, percentiles and the Pareto front, without any import from the project."""
