"""The Offload record: fields, files, validation and power."""
