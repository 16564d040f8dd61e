"""The command line: entry point, options and commands."""
