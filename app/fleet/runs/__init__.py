"""A benchmark on several engines: steps, state on disk, and the Runs that come back."""
