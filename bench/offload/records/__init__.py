"""The Offload record: fields, files, validation, power."""
