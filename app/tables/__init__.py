"""What each command prints, as ``Table`` records."""
