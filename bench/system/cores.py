"""Cores of this machine: lists in the kernel's form, clusters of equal cores, and processes pinned to some of them."""

import contextlib
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import read_text_or_empty

__all__ = ["clusters", "core_list", "cores_in", "measured_cores", "online_cores", "pinned"]

#: The largest number of cores that a Linux kernel can be built for.
_MAX_CORES = 8192
_CPU = "sys/devices/system/cpu"
#: Performance and efficiency cores of hybrid Intel processors, whose kernels state no capacity.
_HYBRID = ("sys/devices/cpu_atom/cpus", "sys/devices/cpu_core/cpus")


def cores_in(text: str) -> list[int]:
    """Return the numbers in a list such as ``0-3,6``, sorted; raise ValueError if it is not one, or is empty."""
    cores: set[int] = set()
    for part in text.strip().split(","):
        found = re.fullmatch(r"\s*([0-9]{1,5})(?:-([0-9]{1,5}))?\s*", part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, -1)
        if not first <= last < _MAX_CORES:
            raise ValueError(f"{text[:200]!r}: not a list of cores")
        cores.update(range(first, last + 1))
    return sorted(cores)


def measured_cores(cpus: str) -> list[int] | None:
    """Return the cores of ``--cpus``; None if it is empty, which means all."""
    return cores_in(cpus) if cpus else None


def core_list(cores: Collection[int]) -> str:
    """Return numbers in the kernel's form: ``0-3,6``."""
    ranges: list[list[int]] = []
    for core in sorted(set(cores)):
        if ranges and core == ranges[-1][-1] + 1:
            ranges[-1][1:] = [core]
        else:
            ranges.append([core])
    return ",".join("-".join(map(str, each)) for each in ranges)


def online_cores(root: Path = Path("/")) -> list[int]:
    """Return the cores that the kernel uses now; those in /proc/cpuinfo if it does not list them."""
    try:
        return cores_in(read_text_or_empty(root / _CPU / "online"))
    except ValueError:
        processors = re.findall(r"^processor\s*:\s*(\d+)", read_text_or_empty(root / "proc/cpuinfo"), re.MULTILINE)
        return sorted(map(int, processors)) or [0]


def clusters(root: Path = Path("/")) -> list[list[int]]:
    """Return the cores in groups of equal capacity, the slowest first; one group if they are all equal.

    The kernel states the capacity of each core of an Arm big.LITTLE processor as ``cpu_capacity`` (1024: the fastest),
    and lists the two kinds of cores of a hybrid Intel processor.
    """
    online = online_cores(root)
    by_capacity: defaultdict[int, list[int]] = defaultdict(list)
    for core in online:
        capacity = read_text_or_empty(root / _CPU / f"cpu{core}/cpu_capacity").strip()
        by_capacity[int(capacity) if capacity.isdigit() else 0].append(core)
    if len(by_capacity) > 1 and 0 not in by_capacity:
        return [by_capacity[capacity] for capacity in sorted(by_capacity)]
    try:
        kinds = [sorted(set(cores_in(read_text_or_empty(root / name))) & set(online)) for name in _HYBRID]
    except ValueError:
        return [online]
    return kinds if all(kinds) else [online]


@contextlib.contextmanager
def pinned(cores: str) -> Iterator[None]:
    """Restrict this thread to some cores in the ``with`` block, and with it the processes that it starts.

    ``cores`` is a list such as ``4-7``; empty: no change. Raise BadInput if the kernel does not allow all of them.
    """
    if not cores:
        yield
        return
    if not hasattr(os, "sched_setaffinity"):
        raise BadInput("--cpus: this system cannot restrict a process to some cores", "omit it; Linux can")
    before, wanted = os.sched_getaffinity(0), set(cores_in(cores))
    try:
        _restrict(wanted, before)
        yield
    finally:
        os.sched_setaffinity(0, before)


def _restrict(wanted: set[int], before: set[int]) -> None:
    refusal = BadInput(
        f"--cpus {core_list(wanted)}: this process may only use cores {core_list(before)}",
        "choose from these, or omit --cpus",
    )
    if not wanted <= before:
        raise refusal
    try:
        os.sched_setaffinity(0, wanted)
    except OSError:
        raise refusal from None
    if os.sched_getaffinity(0) != wanted:
        raise refusal
