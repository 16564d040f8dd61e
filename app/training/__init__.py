"""Data sets, models, training with TensorFlow, and export."""
