"""What `history` answers: sentences, the short table, and notes."""
