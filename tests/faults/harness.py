"""What the fault tests share: a command in a session of its own, and what may be left of it."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from edge_bench.bench.io.files import PART
from tests.command_line import clean_environment, command

#: Random kills over `run` and `train` together: a few, unless ``make faults`` asks for 200.
KILLS = int(os.environ.get("EDGE_BENCH_KILLS", "10"))


@dataclass
class Ended:
    """How a command ended."""

    code: int
    errors: str
    took: float  # seconds from the signal to the end of its last process
    signalled: bool
    reached: str  # what it last said of its progress before the signal


@dataclass
class Station:
    """Folders of one fault test: where commands run, and their temporary folder."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.temporary.mkdir(parents=True, exist_ok=True)

    @property
    def temporary(self) -> Path:
        return self.home / "tmp"

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        """A session of its own, so that a kill takes all of it, as a power cut would."""
        return subprocess.Popen(
            command(*arguments),
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
        """A command that gets a signal ``after`` some seconds, unless it has ended before or that is None.

        ``when``: once a path with that pattern is there (or has changed), and ``after`` seconds later.
        """
        process = self.start(*arguments)
        if when is not None and not _appears(when, process):
            return Ended(process.returncode, process.communicate()[1], 0.0, signalled=False, reached="the end")
        try:
            _, errors = process.communicate(timeout=after)
            return Ended(process.returncode, errors, 0.0, signalled=False, reached="the end")
        except subprocess.TimeoutExpired as waited:
            # what TimeoutExpired holds is bytes, whatever the type of the pipe
            said = waited.stderr.decode(errors="replace") if isinstance(waited.stderr, bytes) else waited.stderr or ""
        began = time.monotonic()
        if whole_group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        while group_lives(process.pid):
            if time.monotonic() - began > 60:
                raise AssertionError(f"{arguments[0]} left a process behind")
        took = time.monotonic() - began
        return Ended(process.returncode, errors, took, signalled=True, reached=when.name if when else _last(said))

    def leftovers(self) -> list[Path]:
        """Temporary files and scratch folders, wherever they are."""
        return [*self.temporary.iterdir(), *(path for path in self.home.rglob(f"*{PART}*"))]


def group_lives(group: int) -> bool:
    """Whether a process group has a process left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _appears(pattern: Path, process: "subprocess.Popen[str]") -> bool:
    """Waits until something of that pattern is new or changed; False where the process ends before."""

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
