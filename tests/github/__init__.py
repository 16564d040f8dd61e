"""Tests of the action for pull requests, of the workflows, and of exports for benchmark services."""
