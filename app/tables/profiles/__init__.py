"""Tables of profiles: the time of each operator."""
