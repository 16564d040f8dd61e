"""From an offload's measurements to its answers and predictions."""
