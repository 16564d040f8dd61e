"""Analysis of an offload's measurements: answers and predictions."""
