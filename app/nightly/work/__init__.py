"""The work of a night: measuring on all engines, with a record of every step."""
