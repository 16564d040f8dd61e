"""Memory that is available for a new process on this machine, within the limits of its control groups."""

import re
from collections.abc import Iterator
from pathlib import Path

from edge_bench.bench.io.files import read_text_or_empty
from edge_bench.bench.system.machine import memory_bytes

__all__ = ["available_memory", "untimed_memory_limit"]

#: Minimum of a worker's default limit. Runtimes reserve memory that they do not use.
_LEAST_LIMIT = 4 << 30
_UNLIMITED = 1 << 60  # version 1 of control groups writes a large number for no limit


def available_memory(root: Path = Path("/")) -> int:
    """Return the bytes that are free or can be freed, including swap, within the limits of the control groups."""
    swap = re.search(r"^SwapFree:\s+(\d+) kB", read_text_or_empty(root / "proc/meminfo"), re.MULTILINE)
    free = memory_bytes(root, "MemAvailable") + (int(swap[1]) * 1024 if swap else 0)
    return max(0, min([free, *_left_in_groups(root)]))


def untimed_memory_limit(stated: int | None, root: Path = Path("/")) -> int:
    """Return the limit in bytes of a worker whose times are not measured.

    It is the user's limit. Otherwise it is seven eighths of the available memory, so that a model cannot take all
    of it, and at least 4 GiB.
    """
    return stated or max(available_memory(root) * 7 // 8, _LEAST_LIMIT)


def _left_in_groups(root: Path) -> Iterator[int]:
    """Yield the unused part of the limits of this process' control groups. Cached files count as free."""
    groups = [line.split(":", 2) for line in read_text_or_empty(root / "proc/self/cgroup").splitlines()]
    for _, controllers, name in (group for group in groups if len(group) == 3):
        if controllers and "memory" not in controllers.split(","):
            continue
        base = root / "sys/fs/cgroup" / ("memory" if controllers else "")
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if controllers else ("memory.max", "memory.current")
        folder = base / name.lstrip("/")
        # a container sees its own group as the root, whatever its outside name
        for each in dict.fromkeys([folder, *folder.parents, base]):
            if not each.is_relative_to(base):
                continue
            limit, used = (read_text_or_empty(each / file).strip() for file in names)
            if limit.isdigit() and used.isdigit() and int(limit) < _UNLIMITED:
                yield int(limit) - int(used) + _cached(each)


def _cached(group: Path) -> int:
    text = read_text_or_empty(group / "memory.stat")
    found = re.search(r"^(?:total_)?inactive_file (\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0
