"""Schedules: a systemd timer, or a service for Docker Compose."""
