"""Files, locks, JSON records, arrays, temporary folders and disk space."""
