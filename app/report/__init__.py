"""The report: one module per section, one for the page, and one that writes the files."""
