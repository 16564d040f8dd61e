"""Tables of Offloads."""
