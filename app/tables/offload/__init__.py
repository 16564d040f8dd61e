"""Tables of offloads."""
