"""The part of a worker for any graph: description, timed trials, and an untimed pass that records outputs."""
