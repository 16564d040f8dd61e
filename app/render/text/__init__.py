"""Tables and sparklines as text."""
