"""Cost and accuracy of training with several workers."""
