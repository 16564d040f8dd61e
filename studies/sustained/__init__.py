"""How often `run --duration` is right about a slowdown, simulated and measured."""
