"""Runs and journals in a results folder that belong to a request: to reuse, to resume, or to complete a group."""
