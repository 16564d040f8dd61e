"""Inputs of any graph: arrays by name, random values, sounds, and the sizes of open axes; images are in dataset."""
