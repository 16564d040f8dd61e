"""The task of any models, their examples, and how their outputs are read."""
