"""Tests of what the dashboard says about nights."""
