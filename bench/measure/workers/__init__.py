"""What a benchmark asks of its workers before the trials: to prepare themselves, and to record outputs."""
