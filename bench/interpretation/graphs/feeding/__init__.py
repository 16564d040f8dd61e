"""Examples for models with any inputs: images, arrays, sounds, or random values."""
