"""A benchmark on several engines: its steps, its state on disk, and the Runs that are fetched."""
