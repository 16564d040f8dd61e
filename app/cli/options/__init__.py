"""The options of the commands, each with its environment variable and help text."""
