"""Labels, mount points and exit status of a workspace's containers and volumes."""

import msgspec

__all__ = ["KILLED", "LABEL", "MOUNT_POINTS", "ROLE", "WORKSPACE", "ContainerExit", "FreeSpace"]

LABEL = "edge-bench.fleet"
#: The value includes the engine's name: an engine may be listed twice, natively and emulating another platform.
WORKSPACE = "edge-bench.workplace"
ROLE = "edge-bench.role"
#: Paths of the volumes in every container, by the volume's role.
MOUNT_POINTS = {"artifacts": "/artifacts", "results": "/results"}
#: Exit code of a process that SIGKILL ended: 128 + 9.
KILLED = 137


class FreeSpace(msgspec.Struct, frozen=True, kw_only=True):
    """Free disk space and memory of a machine."""

    disk_bytes: int
    memory_bytes: int


class ContainerExit(msgspec.Struct, frozen=True, kw_only=True):
    """Exit status of a container."""

    code: int
    out_of_memory: bool
    message: str  # its first error on stderr, otherwise its last line there
