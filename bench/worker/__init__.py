"""Worker processes: the parent's side, the messages, and the code inside a worker."""
