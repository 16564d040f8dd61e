"""Commands in a terminal: watched while they run, or read at their end."""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.command_line import clean_environment, command

__all__ = ["OnTerminal", "Shown", "in_terminal", "on_terminal", "shown_in_terminal"]


class OnTerminal:
    """The process, in a group of its own, and what it has printed to stderr."""

    def __init__(self, process: "subprocess.Popen[bytes]", screen: int) -> None:
        self.process, self._screen, self.shown = process, screen, ""

    def wait_for_steps(self, done: int, steps: int) -> None:
        """Read until at least ``done`` of ``steps`` steps are shown as done."""
        while not any(int(shown) >= done for shown in re.findall(rf"(\d+)/{steps}(?!\d)", self.shown)):
            assert self._read(), self.shown

    def wait_for(self, text: str) -> None:
        """Read until the text is shown."""
        while text not in self.shown:
            assert self._read(), self.shown

    def end(self, timeout: float = 60) -> int:
        """Read to the end and return the exit code."""
        while self._read():
            pass
        return self.process.wait(timeout)

    def _read(self) -> bool:
        """Read what is there, or wait for more; return False if the process has closed its side."""
        try:
            data = os.read(self._screen, 1 << 16)
        except OSError:  # Linux: the other side is closed
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)


@contextlib.contextmanager
def on_terminal(*arguments: object, cwd: Path, stdout: Path, **environment: str) -> Iterator[OnTerminal]:
    """Start a command; its results go to the file ``stdout``. Kill its group at the end."""
    screen, stderr = pty.openpty()
    with stdout.open("wb") as results:
        process = subprocess.Popen(
            command(*arguments), cwd=cwd, stdout=results, stderr=stderr, start_new_session=True,
            env=clean_environment(cwd) | {"COLUMNS": "200", "TERM": "xterm"} | environment,
        )  # fmt: skip
    os.close(stderr)
    try:
        yield OnTerminal(process, screen)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(screen)


@dataclass(frozen=True)
class Shown:
    """What a terminal has shown of a command."""

    code: int
    text: str  # with colours

    @property
    def lines(self) -> list[str]:
        """The lines without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.text).replace("\r\n", "\n").rstrip("\n").split("\n")


def shown_in_terminal(
    *arguments: object, columns: int, cwd: Path, stderr: Path | None = None, **environment: str
) -> Shown:
    """Run a command in a terminal of this width until its end; its stderr may go to a file instead."""
    screen, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    inherited = {name: value for name, value in clean_environment(cwd).items() if name not in _TERMINAL_VARIABLES}
    with contextlib.nullcontext(side) if stderr is None else stderr.open("wb") as errors:
        process = subprocess.Popen(
            command(*arguments), cwd=cwd, stdout=side, stderr=errors, stdin=side, start_new_session=True,
            env=inherited | {"TERM": "xterm", "PYTHONIOENCODING": "utf-8"} | environment,
        )  # fmt: skip
    os.close(side)
    shown = b""
    with contextlib.suppress(OSError):  # Linux: the other side is closed
        while data := os.read(screen, 1 << 16):
            shown += data
    os.close(screen)
    return Shown(process.wait(60), shown.decode())


def in_terminal(*arguments: object, columns: int, cwd: Path, code: int = 0, **environment: str) -> list[str]:
    """Run a command with stdout in a terminal of this width; return its lines without colours.

    Its stderr is in the file ``stderr`` afterwards. Fail if it does not end with ``code``.
    """
    done = shown_in_terminal(*arguments, columns=columns, cwd=cwd, stderr=cwd / "stderr", **environment)
    assert done.code == code, (cwd / "stderr").read_text()
    return done.lines


_TERMINAL_VARIABLES = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")
