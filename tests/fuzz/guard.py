"""Limits for reading a file: ten seconds, 1 GiB, no file outside its folder, no program, no network.

The ten seconds are processor time, because other processes may use the machine. The limit for waiting, for example for
a pipe, is a minute.
"""

import contextlib
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge_bench.bench.errors import EdgeBenchError

__all__ = ["MEMORY", "SECONDS", "Guard"]

SECONDS, WAITING_SECONDS = 10.0, 60.0
MEMORY = 1 << 30
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
#: Python's audit events whose first argument is the path that they change.
_CHANGES = {
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
    "os.utime", "shutil.rmtree", "shutil.move", "shutil.copyfile",
}  # fmt: skip
_NEVER = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.", "pickle.find_class")


class _TooSlow(BaseException):
    """Not an Exception, so that no code handles it as a damaged file."""


class Guard:
    """Runs cases in this process and reports violations; one per process, because an audit hook cannot be removed."""

    def __init__(self, *writable: Path) -> None:
        self._writable = [path.resolve() for path in writable]
        self._watching = False
        self._violations: list[str] = []
        self.accepted = 0  # cases without any error
        signal.signal(signal.SIGPROF, self._ring)
        signal.signal(signal.SIGALRM, self._ring)
        sys.addaudithook(self._hook)

    def limit_memory(self) -> None:
        """Allow 1 GiB more than is in use now; beyond that, allocations raise MemoryError."""
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

    def findings(self, use: Callable[[], object]) -> list[str]:
        """Call ``use`` and return its violations, each in a line or more. An EdgeBenchError is not one."""
        self._violations = []
        _forget_peak()
        with self._watched(), contextlib.redirect_stdout(_Nowhere()), contextlib.redirect_stderr(_Nowhere()):
            try:
                use()
                self.accepted += 1
            except EdgeBenchError as error:
                if not error.problem.strip():
                    self._violations.append("refused without a message")
            except _TooSlow:
                self._violations.append(f"took more than {SECONDS:g} s:\n{traceback.format_exc()}")
            except Exception:
                self._violations.append(traceback.format_exc())
        if (peak := _peak()) > MEMORY:
            self._violations.append(f"took {peak / (1 << 20):,.0f} MiB of memory")
        return self._violations

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.setitimer(signal.ITIMER_REAL, WAITING_SECONDS)
        self._watching = True
        try:
            yield
        finally:
            self._watching = False
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, *_: object) -> None:
        raise _TooSlow

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._watching:
            return
        if event.startswith(_NEVER):
            self._violations.append(f"{event} {arguments!r:.200}")
        elif event in _CHANGES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES):
            for path in arguments[: 2 if event in ("os.rename", "os.link", "os.symlink") else 1]:
                if isinstance(path, str | bytes | os.PathLike) and not self._within(os.fsdecode(path)):
                    self._violations.append(f"{event} outside: {path!r:.200}")

    def _within(self, path: str) -> bool:
        self._watching = False
        try:
            return path == os.devnull or any(Path(path).resolve().is_relative_to(each) for each in self._writable)
        finally:
            self._watching = True


class _Nowhere:
    """Discards warnings and progress."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        text.encode("utf-8")  # raises an error if the text cannot be printed
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
