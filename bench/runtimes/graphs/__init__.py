"""Sessions for any graph: any number of inputs and outputs, named signatures, and sizes that the user sets."""
