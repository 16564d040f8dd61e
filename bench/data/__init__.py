"""Anyone's data: found, labelled, decoded once into a memory-mapped cache, and described in a record."""
