"""The command line, output, and everything that needs TensorFlow, matplotlib or Docker."""
