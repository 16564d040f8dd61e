"""The machine: its description, sensors, emulation, and concurrent runs."""
