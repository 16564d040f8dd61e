"""Inputs on which other people's benchmarks failed or reported a wrong accuracy (docs/real-data.md), by kind."""
