"""Tools for developers: JSON Schemas, audit of the lock files, operators of released runtimes, layout check."""
