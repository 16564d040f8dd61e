"""Predicted latencies compared with measured ones."""
