"""The answer of a run or a comparison: the best configuration, its cost in quality, and whether times are reliable."""
