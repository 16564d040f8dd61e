"""Files, locks, records as JSON, arrays, temporary folders and disk space."""
