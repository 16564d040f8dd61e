"""Benchmarks and trainings on other machines through their Docker engines, without an own agent or protocol."""
