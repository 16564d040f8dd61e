"""Simulated network links: profiles, shaping, and the proxy process."""
