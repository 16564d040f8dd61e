"""Checks of an engine before a benchmark starts there. Each error names the option that sets the limit."""

from edge_bench.app.fleet.docker.container import FreeSpace
from edge_bench.app.fleet.docker.engine import Description
from edge_bench.app.fleet.docker.errors import EngineTrouble
from edge_bench.app.fleet.docker.transfer import megabytes

__all__ = ["require_disk", "require_memory"]


def require_memory(machine: Description, min_bytes: int) -> None:
    """Raise EngineTrouble if the machine has less memory than ``min_bytes``."""
    if machine.memory_bytes < min_bytes:
        memory, required = megabytes(machine.memory_bytes), megabytes(min_bytes)
        raise EngineTrouble(
            f"too little memory: {memory}, but {required} are required", "change the limit with --min-memory"
        )


def require_disk(free: FreeSpace, min_bytes: int) -> None:
    """Raise EngineTrouble if less than ``min_bytes`` of disk are free."""
    if free.disk_bytes < min_bytes:
        available, required = megabytes(free.disk_bytes), megabytes(min_bytes)
        raise EngineTrouble(
            f"too little disk: {available} are free, but {required} are required",
            "free disk space there (see `docker system df`), or change the limit with --min-disk",
        )
