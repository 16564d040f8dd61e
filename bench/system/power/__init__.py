"""Power meters of the machine: counters and sensors, how they are found, and how they are read."""
