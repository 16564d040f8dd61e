"""Tables and pages as text and HTML, units, colours, and progress on the terminal."""
