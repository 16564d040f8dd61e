"""One Docker engine: connection, image, files, and the workspace that a command has there."""
