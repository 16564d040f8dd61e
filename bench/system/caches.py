"""Sizes of this machine's caches, from the files of Linux."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.io.files import read_text_or_empty

__all__ = ["last_cache_bytes", "second_cache_share"]

_UNITS = {"K": 1 << 10, "M": 1 << 20, "": 1}


class _Cache(NamedTuple):
    level: int
    size: int  # bytes
    cores: int  # that share it


def last_cache_bytes(root: Path = Path("/")) -> int | None:
    """Return the size of the last cache in bytes; None if it is unknown, as on some Arm boards."""
    return max((cache.size for cache in _caches(root) if cache.level > 1), default=None)


def second_cache_share(root: Path = Path("/")) -> int | None:
    """Return the bytes of the second-level cache for each core that shares it; None if they are unknown."""
    return max((cache.size // cache.cores for cache in _caches(root) if cache.level == 2), default=None)


def _caches(root: Path) -> Iterator[_Cache]:
    """Yield the caches of the first core that hold data."""
    for folder in sorted(root.glob("sys/devices/system/cpu/cpu0/cache/index*")):
        kind, level, size, shared = (
            read_text_or_empty(folder / name).strip() for name in ("type", "level", "size", "shared_cpu_list")
        )
        stated = re.fullmatch(r"(\d{1,9})([KM]?)", size)
        if kind != "Instruction" and level.isdigit() and stated:
            yield _Cache(int(level), int(stated[1]) * _UNITS[stated[2]], _cores(shared))


def _cores(text: str) -> int:
    """Return the number of cores in a list such as ``0-3,8``; 1 if it cannot be read."""
    count = 0
    for part in text.split(","):
        if not (match := re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", part)):
            return 1
        count += max(0, int(match[2] or match[1]) - int(match[1])) + 1
    return count
