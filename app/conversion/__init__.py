"""Conversion of models to bundles with TensorFlow's converter. Untrusted models are loaded in a separate process."""
