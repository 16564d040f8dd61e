"""One Docker engine: connection, image, files, and the workspace of a command on it."""
