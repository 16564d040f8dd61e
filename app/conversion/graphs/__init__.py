"""Export of models with any inputs and outputs."""
