"""The user's options for a run, checked: texts from the command line, or Python values."""
