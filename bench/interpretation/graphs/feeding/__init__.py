"""Examples of any models: images, arrays, sounds, or random values."""
