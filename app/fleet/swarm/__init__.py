"""A hundred machines in one command: a Docker Swarm's global job, and a collector that loses no Run."""
