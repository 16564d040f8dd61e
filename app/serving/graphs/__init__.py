"""Serving of models with any inputs and outputs, as their own tensors."""
