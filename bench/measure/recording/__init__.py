"""From events of a run to entries of its journal, and from entries to a Run."""
