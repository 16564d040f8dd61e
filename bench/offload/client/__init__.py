"""Client of an inference server."""
