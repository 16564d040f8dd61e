"""Work of each operator of a model file: multiply-accumulates and bytes."""
