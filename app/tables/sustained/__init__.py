"""What ``run --duration`` prints: the answer, a short table, and all columns."""
