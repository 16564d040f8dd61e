"""The report: one module per section, one for the page, one that writes the files."""
