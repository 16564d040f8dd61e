"""Setup of every worker process: signals, and limits on memory and output."""

import re
import resource
import signal
import sys
from pathlib import Path

from edge_bench.bench.interrupts import SIGNALS, die_with_parent
from edge_bench.bench.io.names import escape_surrogates

__all__ = ["configure_worker", "first_line", "is_out_of_memory", "limit_memory", "peak_memory"]

#: Limit on the size of any file a worker writes, including the output of native code, so that it cannot fill a disk.
MAX_LOG_BYTES = 16 << 20
#: Parts of out-of-memory messages of native code: of C++, and of ONNX Runtime's own allocator.
_NO_MEMORY = ("bad_alloc", "Failed to allocate memory")


def configure_worker(parent: int, memory_limit: int) -> None:
    """Ignore signals, end with the process ``parent`` (0 for none), and set limits.

    ``memory_limit`` is in bytes, 0 for none.
    """
    # signals may reach the whole process group, but the parent decides when a worker ends
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if parent:
        die_with_parent(parent)
    limit_memory(memory_limit)
    _set_limit(resource.RLIMIT_FSIZE, MAX_LOG_BYTES)


def limit_memory(memory_limit: int) -> None:
    """Limit the memory of this process, in bytes; 0 for no limit.

    It limits private writable memory. Files that a library maps do not count.
    """
    if memory_limit:
        _set_limit(resource.RLIMIT_DATA, memory_limit)


def _set_limit(kind: int, limit: int) -> None:
    """Set the limit, or the system's hard limit if that is lower."""
    hard = resource.getrlimit(kind)[1]
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(kind, (limit, limit))


def is_out_of_memory(cause: Exception) -> bool:
    """Return whether an error means that an allocation failed."""
    return isinstance(cause, MemoryError) or any(part in str(cause) for part in _NO_MEMORY)


def peak_memory() -> int:
    """Return the highest resident size of this process, in bytes.

    On Linux it is VmHWM, since getrusage's maximum includes that of the parent from before exec.
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
    """Return the first line of an error's message, at most 300 characters, or its type. The rest is a trace.

    It begins with the operator's name if an interpreter names the operator only in a later line.
    """
    text = str(cause).strip() or type(cause).__name__
    line = escape_surrogates(text.splitlines()[0][:300])
    if line.endswith("unresolved custom op: ."):
        return "Encountered unresolved custom op without a name"
    line = re.sub(r"(op\(s\).* not supported by this interpreter\.).*", r"\1", line)  # advice for Android follows
    if failed := re.search(r"Node number \d+ \((.{1,100}?)\) failed", text, re.DOTALL):
        name = escape_surrogates(" ".join(failed[1].split()))
        return line if name in line else f"{name}: {line}"
    return line
