"""Commands that make or describe a model: train, export, inspect."""
