"""The machine's Docker engine."""

from tests.containers.fixtures import docker_engine

__all__ = ["docker_engine"]
