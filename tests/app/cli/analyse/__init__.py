"""Tests of commands that analyse, or predict without measuring."""
