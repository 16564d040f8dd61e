"""`edge-bench run` in a process that the kernel ends with the process that started it: ``PARENT run OPTIONS…``.

If `nightly` is killed, nothing else would end its measurement, which would go on for hours and keep the lock.
"""

import os
import runpy
import sys
import threading

from edge_bench.bench.interrupts import die_with_parent
from edge_bench.bench.io.python_process import module_command

__all__ = ["run_command"]


def run_command() -> list[str]:
    """Return the beginning of a command; arguments of `edge-bench` follow."""
    # the kernel ends a process with the thread that started it, so that must not be a short-lived thread
    in_main_thread = threading.current_thread() is threading.main_thread()
    return [*module_command(__name__), str(os.getpid() if in_main_thread else 0)]


def _main() -> None:
    if parent := int(sys.argv.pop(1)):
        die_with_parent(parent)
    runpy.run_module("edge_bench", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
