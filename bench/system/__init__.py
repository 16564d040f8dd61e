"""The machine: what it is, its sensors, emulation, and what else runs on it."""
