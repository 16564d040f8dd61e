"""Tools for developers: schemas, lock audit, probes of released runtimes, checks of the layout."""
