"""What a user states for a run, checked: from texts of the command line, or from values in Python."""
