"""Inputs of any graph: arrays by name, random values, sounds, and the sizes of open axes. Images are in dataset."""
