"""Conversion of models to bundles with TensorFlow's converter. Foreign models are loaded in a process of their own."""
