"""Load tests of the inference server, and its predictions compared with a local run."""
