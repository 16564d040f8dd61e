"""Models to bundles: TensorFlow's converter, its process, and what other people's models need."""
