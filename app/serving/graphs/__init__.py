"""Serving of models with any inputs and outputs, as raw tensors."""
