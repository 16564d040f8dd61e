"""What every worker process does first: signals, and limits on memory and output."""

import resource
import signal
import sys
from pathlib import Path

from edge_bench.bench.interrupts import SIGNALS, die_with_parent

__all__ = ["configure_worker", "first_line"]

#: Bytes that native code may print, or write to any file: a worker that talks without end fills nothing.
LONGEST_LOG = 16 << 20


def configure_worker(parent: int, memory_limit: int) -> None:
    """What every worker does first. ``memory_limit`` in bytes, 0 for none; ``parent`` is 0 for a passing thread."""
    # signals may reach the whole process group; the parent decides when a worker ends, and takes it along when it dies
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    if parent:
        die_with_parent(parent)
    if memory_limit:
        # private writable memory, so that what a library merely maps does not count
        _bound(resource.RLIMIT_DATA, memory_limit)
    _bound(resource.RLIMIT_FSIZE, LONGEST_LOG)


def _bound(kind: int, limit: int) -> None:
    """No more than this, nor than the system allows anyway."""
    hard = resource.getrlimit(kind)[1]
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(kind, (limit, limit))


def peak_memory() -> int:
    """Highest resident size of this process, in bytes.

    Read from the kernel's own record: getrusage's figure would include the parent's, from before exec.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def first_line(cause: BaseException) -> str:
    """The first line of what a library says; the rest is a trace for its developers."""
    text = str(cause).strip() or type(cause).__name__
    return text.splitlines()[0][:300]
