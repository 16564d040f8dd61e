"""HTML elements, tables and styles; text is escaped unless it is typed as HTML."""
