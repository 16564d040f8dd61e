"""Inputs of any graph: arrays by name, random values, sounds, and the shapes of open axes. Images are in bench/dataset."""
