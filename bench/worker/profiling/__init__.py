"""Profiles: a worker that invokes a model with and without the profiler of its runtime, in turn."""
