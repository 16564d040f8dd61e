"""The inference server under load, and its answers against a local run."""
