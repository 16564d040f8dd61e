"""A local unix socket that ssh forwards to an engine's socket, with the user's own ssh configuration.

One ssh connection carries all connections of the SDK to an engine. It ends with this process, even if the process is
killed: the remote command reads from this process and exits at the end of its input.
"""

import contextlib
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from edge_bench.app.fleet.docker.errors import EngineLost, EngineTrouble, one_line, remedy_for
from edge_bench.bench.io.addresses import address_from
from edge_bench.bench.progress import time_limit

__all__ = ["Tunnel", "require_ssh"]

_ENGINE_SOCKET = "/var/run/docker.sock"
#: ssh closes the connection after three unanswered keepalive messages, this many seconds apart.
_KEEPALIVE_SECONDS = 5
#: For ssh to end after it has closed its output, and for its last line to be read.
_END_SECONDS = 2.0
#: The remote machine may write lines of any length.
_MAX_LINE_BYTES = 4096
_FORM = "use ssh://user@host[:port][/path/to/docker.sock]; configure keys in ssh itself"


def require_ssh() -> None:
    """Raise EngineTrouble if there is no program ssh."""
    if shutil.which("ssh") is None:
        raise _no_ssh()


def _no_ssh() -> EngineTrouble:
    return EngineTrouble("connecting: no ssh program found", "install the OpenSSH client")


class Tunnel:
    """An open tunnel; ``url`` is the local socket's URL for the SDK."""

    def __init__(self, address: str, config: Path | None, timeout: float) -> None:
        """Connect within ``timeout`` seconds. Raise EngineLost with ssh's error message if that fails."""
        self._folder = Path(tempfile.mkdtemp(prefix="edge-bench-ssh-"))
        socket = self._folder / "docker.sock"
        self.url = f"unix://{socket}"
        self._ready, self._greeted = threading.Event(), False
        self._messages: list[str] = []
        try:
            self._process = subprocess.Popen(
                _command(address, config, socket, timeout),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C must not reach ssh: the clean-up needs the tunnel
            )  # fmt: skip
        except FileNotFoundError:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise _no_ssh() from None
        self._reader = threading.Thread(target=self._read_messages, daemon=True)
        self._reader.start()
        threading.Thread(target=self._wait_until_ready, daemon=True).start()
        if not self._ready.wait(timeout) or not self._greeted or not socket.exists():
            reason = self._failure() or f"no answer within {time_limit(timeout)}"
            self.close()
            raise EngineLost(f"connecting: {reason}", remedy_for(reason))

    def _wait_until_ready(self) -> None:
        """Wait for the first line of the remote command, which starts after the forwarding is set up, or the end."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe was requested
        with self._process.stdout as output:
            self._greeted = bool(output.readline(_MAX_LINE_BYTES))
            self._ready.set()
            while output.read(_MAX_LINE_BYTES):
                pass

    def _failure(self) -> str:
        """Return why ssh has not connected, empty if it is still trying."""
        if self._ready.is_set():
            # its output is closed before the process has ended, perhaps before its message has been read
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)
        code = self._process.poll()
        return self.last_message() or ("" if code is None else f"ssh ended with exit code {code}")

    def _read_messages(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - a pipe was requested
        with self._process.stderr as messages:
            while line := messages.readline(_MAX_LINE_BYTES):
                self._messages = [*self._messages[-4:], line.decode(errors="replace").strip()]

    @property
    def open(self) -> bool:
        """Whether ssh is still running."""
        return self._process.poll() is None

    def last_message(self) -> str:
        """Return ssh's last line on stderr, empty if there is none."""
        if self._process.poll() is not None:
            self._reader.join(_END_SECONDS)  # ssh has ended, but its last line may not have been read yet
        return one_line(self._messages[-1]) if self._messages else ""

    def close(self) -> None:
        """End ssh. It may be called more than once."""
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _command(address: str, config: Path | None, socket: Path, timeout: float) -> list[str]:
    try:
        parts = address_from(address)
    except ValueError as cause:
        raise EngineTrouble(f"connecting: {one_line(address, 200)!r} has {cause}", _FORM) from None
    if parts.scheme != "ssh" or not parts.host or parts.password or parts.query:
        raise EngineTrouble(f"connecting: {one_line(address, 200)!r} is not a valid address", _FORM)
    options = {
        "BatchMode": "yes",  # otherwise ssh would wait for an answer to its prompts
        "ConnectTimeout": str(max(1, round(timeout))),
        "ExitOnForwardFailure": "yes",
        "ServerAliveInterval": str(_KEEPALIVE_SECONDS),
        "ServerAliveCountMax": "3",
        "ControlPath": "none",
        "LogLevel": "ERROR",
    }
    return [
        "ssh", "-T",
        *(["-F", str(config)] if config else []),
        *(f"-o{name}={value}" for name, value in options.items()),
        *(["-p", str(parts.port)] if parts.port else []),
        *(["-l", parts.user] if parts.user else []),
        "-L", f"{socket}:{parts.path if parts.path not in ('', '/') else _ENGINE_SOCKET}",
        "--", parts.host, "echo ready; exec cat >/dev/null",
    ]  # fmt: skip
