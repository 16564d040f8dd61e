"""What ``run`` and ``compare`` print first: the answer in sentences, one short table, and few notes."""
