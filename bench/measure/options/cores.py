"""The cores to measure on, of ``--cpus``."""

import os
from collections.abc import Sequence
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.system.cores import clusters, core_list, cores_in, online_cores
from edge_bench.bench.system.tuning.record import tuned_now

__all__ = ["chosen_cores", "stated_cores"]

_ROOT = Path("/")


def stated_cores(stated: str | int | Sequence[int] | None, root: Path = _ROOT) -> str | None:
    """Return ``--cpus`` in the kernel's form, such as ``4-7``; empty for ``all``, None for None.

    ``big`` and ``little`` are the cores of the highest and the lowest capacity. Raise BadInput for anything else than
    cores of this machine.
    """
    if stated is None:
        return None
    if stated in ("all", ""):
        return ""
    if stated in ("big", "little"):
        groups = clusters(root)
        if len(groups) == 1:
            raise BadInput(f"--cpus {stated}: all cores of this machine have the same capacity", "use numbers")
        return core_list(groups[-1 if stated == "big" else 0])
    online = online_cores(root)
    try:
        cores = cores_in(stated if isinstance(stated, str) else _text(stated))
    except (TypeError, ValueError):
        raise BadInput(
            f"--cpus {repr(stated)[:200]}: not a list of cores", "for example --cpus 4-7 or 0,2; or big, little, all"
        ) from None
    if not set(cores) <= set(online):
        raise BadInput(f"--cpus {core_list(cores)}: this machine has cores {core_list(online)}", "choose from these")
    return core_list(cores)


def _text(cores: int | Sequence[int]) -> str:
    numbers = cores if isinstance(cores, Sequence) else [cores]
    if not all(isinstance(core, int) and not isinstance(core, bool) for core in numbers):
        raise TypeError
    return ",".join(map(str, numbers))


def chosen_cores(stated: str | int | Sequence[int] | None = None, root: Path = _ROOT) -> str:
    """Return the cores to measure on: those that are stated, or else that `edge-bench tune` has selected.

    Empty: all that this process may use. Raise BadInput for cores that it may not use. The record of `edge-bench tune`
    is read below ``root``.
    """
    chosen = stated_cores(stated)
    tuned = None if chosen is not None else tuned_now(root)
    chosen = tuned.cpus if tuned is not None else chosen
    if not chosen:
        return ""
    if not hasattr(os, "sched_getaffinity"):
        raise BadInput("--cpus: this system cannot restrict a process to some cores", "omit it; Linux can")
    usable = os.sched_getaffinity(0)
    if not set(cores_in(chosen)) <= usable:
        origin = "" if tuned is None else ", set by `edge-bench tune`"
        raise BadInput(
            f"--cpus {chosen}{origin}: this process may only use cores {core_list(usable)}", "choose from these, or all"
        )
    return chosen
