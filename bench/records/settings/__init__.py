"""What a run measures, and how: its configurations and settings."""
