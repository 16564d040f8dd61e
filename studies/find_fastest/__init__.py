"""How often `run --find-fastest` names the fastest configuration, simulated and measured."""
