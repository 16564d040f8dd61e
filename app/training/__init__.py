"""Data sets, models, training and export: TensorFlow lives here and nowhere else."""
