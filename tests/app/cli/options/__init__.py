"""Tests of how options are declared and parsed."""
