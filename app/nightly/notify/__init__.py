"""Notifications: their text, and the ways to send them."""
