"""Model architectures, training epochs and checkpoints."""
