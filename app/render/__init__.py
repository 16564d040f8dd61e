"""Text and HTML rendering of tables and pages, units, colours, and progress on the terminal."""
