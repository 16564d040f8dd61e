"""The highest rates that this machine reaches: multiply-accumulates per second of a runtime, and bytes per second."""
