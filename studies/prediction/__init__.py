"""Parameters of the device files and errors of the prediction, from a table of published latencies."""
