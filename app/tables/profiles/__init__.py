"""Tables and sentences about profiles."""
