"""A benchmark on many machines as a global job of a Docker Swarm, with a collector that receives the Runs."""
