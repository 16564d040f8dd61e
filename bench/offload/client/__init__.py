"""The client of an inference server."""
