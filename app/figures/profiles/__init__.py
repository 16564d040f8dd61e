"""Figures of profiles: the roofline plot, and the time of each operator."""
