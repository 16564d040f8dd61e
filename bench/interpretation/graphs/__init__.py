"""The task of models with any inputs and outputs, their examples, and how their outputs are read."""
