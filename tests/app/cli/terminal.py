"""Commands with a terminal: stderr, which shows every step of the progress at once, or stdout of a stated width."""

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
from pathlib import Path

from tests.command_line import clean_environment, command

__all__ = ["OnTerminal", "in_terminal", "on_terminal"]


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


def in_terminal(*arguments: object, columns: int, cwd: Path, code: int = 0, **environment: str) -> list[str]:
    """Run a command with stdout in a terminal of this width; return the lines that the terminal shows.

    Its stderr is in the file ``stderr`` afterwards. Fail if it does not end with ``code``.
    """
    screen, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    clean = {name: value for name, value in clean_environment(cwd).items() if name not in ("COLUMNS", "LINES")}
    with (cwd / "stderr").open("wb") as errors:
        process = subprocess.Popen(
            command(*arguments), cwd=cwd, stdout=side, stderr=errors, stdin=side, start_new_session=True,
            env=clean | environment | {"TERM": "xterm", "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
    os.close(side)
    shown = b""
    while True:
        try:
            data = os.read(screen, 1 << 16)
        except OSError:  # Linux: the other side is closed
            break
        if not data:
            break
        shown += data
    os.close(screen)
    assert process.wait(60) == code, (cwd / "stderr").read_text()
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).replace("\r\n", "\n").rstrip("\n").split("\n")
