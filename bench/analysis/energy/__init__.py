"""Energy of configurations: joules per inference, and where they are from."""
