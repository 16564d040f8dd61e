"""Benchmarks and trainings on other machines through their Docker engines, without an agent or protocol of ours."""
