"""Outcomes of the action for pull requests whose effect on the time is known."""
