"""Shared by the fault tests: a command in a separate session, signals to it, and its leftovers."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from edge_bench.bench.io.files import PART
from tests.command_line import clean_environment, command

#: Random kills of `run` and `train` together; ``make faults`` sets 200.
KILLS = int(os.environ.get("EDGE_BENCH_KILLS", "10"))


@dataclass
class Ended:
    """How a command ended."""

    code: int
    errors: str
    took: float  # seconds from the signal to the end of its last process
    signalled: bool
    reached: str  # its last progress message before the signal


@dataclass
class Station:
    """Folders of one fault test: the working directory of commands, and their temporary folder."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.temporary.mkdir(parents=True, exist_ok=True)

    @property
    def temporary(self) -> Path:
        return self.home / "tmp"

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        """Start a command in a separate session, so that a kill ends all its processes, like a power cut."""
        return self._start(command(*arguments))

    def run_to(self, point: str, sent: signal.Signals, *arguments: object) -> Ended:
        """Run a command that gets a signal at a point of tests/faults/points.py."""
        process = self._start([sys.executable, "-m", "tests.faults.points", point, sent.name, *map(str, arguments)])
        _, errors = process.communicate(timeout=120)
        _wait_for_group(process.pid, str(arguments[0]))
        return Ended(process.returncode, errors, 0.0, signalled=True, reached=point)

    def _start(self, command_line: list[str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command_line,
            env=clean_environment(self.home) | {"TMPDIR": str(self.temporary)} | self.environment,
            cwd=self.home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self,
        *arguments: object,
        after: float | None = None,
        when: Path | None = None,
        number: int = signal.SIGKILL,
        whole_group: bool = True,
    ) -> Ended:
        """Run a command that gets a signal ``after`` some seconds, unless it ends earlier or ``after`` is None.

        With ``when``, the seconds count from the moment when a path of that pattern appears or changes.
        """
        process = self.start(*arguments)
        if when is not None and not _appears(when, process):
            return Ended(process.returncode, process.communicate()[1], 0.0, signalled=False, reached="the end")
        try:
            _, errors = process.communicate(timeout=after)
            return Ended(process.returncode, errors, 0.0, signalled=False, reached="the end")
        except subprocess.TimeoutExpired as waited:
            # bytes, whatever the type of the pipe
            said = waited.stderr.decode(errors="replace") if isinstance(waited.stderr, bytes) else waited.stderr or ""
        began = time.monotonic()
        if whole_group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        _wait_for_group(process.pid, str(arguments[0]))
        took = time.monotonic() - began
        return Ended(process.returncode, errors, took, signalled=True, reached=when.name if when else _last(said))

    def leftovers(self) -> list[Path]:
        """Return all temporary files and scratch folders."""
        return [*self.temporary.iterdir(), *(path for path in self.home.rglob(f"*{PART}*"))]


def group_lives(group: int) -> bool:
    """Return whether a process group has a process left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_for_group(group: int, name: str) -> None:
    """Wait until a process group has ended; fail after a minute."""
    began = time.monotonic()
    while group_lives(group):
        assert time.monotonic() - began < 60, f"{name} left a process behind"


def _appears(pattern: Path, process: "subprocess.Popen[str]") -> bool:
    """Wait until a path of that pattern is new or changed; return False if the process ends first."""

    def seen() -> set[tuple[str, int, int]]:
        found = set()
        for path in pattern.parent.glob(pattern.name):
            with contextlib.suppress(OSError):
                found.add((path.name, path.stat().st_ino, path.stat().st_mtime_ns))
        return found

    before = seen()
    while not seen() - before:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.001)
            return False
    return True


def _last(errors: str) -> str:
    lines = [line for line in errors.splitlines() if line.strip()]
    return lines[-1].split(":")[0] if lines else "nothing yet"
