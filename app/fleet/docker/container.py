"""A workplace's containers and volumes: their labels, where volumes are, and how a container ended."""

import msgspec

__all__ = ["LABEL", "PLACES", "ROLE", "WORKSPACE", "ContainerExit", "FreeSpace"]

LABEL = "edge-bench.fleet"
#: With the engine's name, as one engine may be there twice: as itself, and emulating another machine.
WORKSPACE = "edge-bench.workplace"
ROLE = "edge-bench.role"
#: Where volumes are in every container, by their role.
PLACES = {"artifacts": "/artifacts", "results": "/results"}


class FreeSpace(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine has free."""

    disk_bytes: int
    memory_bytes: int


class ContainerExit(msgspec.Struct, frozen=True, kw_only=True):
    """How a container ended."""

    code: int
    out_of_memory: bool
    last_words: str  # its last line on stderr
