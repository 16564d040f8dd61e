"""A unix socket here that is an engine's socket there, by the ssh program and the person's own configuration of it.

One connection an engine, whatever the SDK opens over it; it ends with this process, however that ends, because the
command at the other end reads from us until we are gone.
"""

import contextlib
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from edge_bench.app.fleet.docker.errors import EngineLost, EngineTrouble, one_line, remedy_for

__all__ = ["Tunnel"]

ENGINE_SOCKET = "/var/run/docker.sock"
#: Three unanswered questions of so many seconds each, and ssh gives the connection up.
ALIVE_SECONDS = 5
_POLL_SECONDS = 0.02


class Tunnel:
    """An open one; ``url`` is for the SDK."""

    def __init__(self, address: str, config: Path | None, timeout: float) -> None:
        """Connects. EngineLost with ssh's own words where it cannot, within ``timeout`` seconds."""
        self._folder = Path(tempfile.mkdtemp(prefix="edge-bench-ssh-"))
        socket = self._folder / "docker.sock"
        self.url = f"unix://{socket}"
        self._ready = threading.Event()
        self._said: list[str] = []
        try:
            self._process = subprocess.Popen(
                _command(address, config, socket, timeout),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for us: what is there has to be cleaned up through this
            )  # fmt: skip
        except FileNotFoundError:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise EngineTrouble("connecting: there is no ssh program here", "install OpenSSH's client") from None
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._wait, daemon=True).start()
        if not self._ready.wait(timeout) or self._process.poll() is not None or not socket.exists():
            reason = self.why() or f"no answer within {timeout:g} s"
            self.close()
            raise EngineLost(f"connecting: {reason}", remedy_for(reason))

    def _wait(self) -> None:
        """The command at the other end says a word when it runs; by then the forwarding is set up."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        self._process.stdout.readline()
        self._ready.set()

    def _listen(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - a pipe was asked for
        for line in self._process.stderr:
            self._said = [*self._said[-4:], line.decode(errors="replace").strip()]

    @property
    def open(self) -> bool:
        """Whether ssh still holds the connection."""
        return self._process.poll() is None

    def why(self) -> str:
        """What ssh said last; empty where it said nothing."""
        deadline = time.monotonic() + 0.5
        while not self._said and time.monotonic() < deadline and self._process.poll() is not None:
            time.sleep(_POLL_SECONDS)  # it has ended, and its last words are on their way
        return one_line(self._said[-1]) if self._said else ""

    def close(self) -> None:
        """Ends it; safe to call twice."""
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
    parts = urlsplit(address)
    if not parts.hostname or parts.password or parts.hostname.startswith("-"):
        raise EngineTrouble(f"{address}: not an address of the form ssh://user@host[:port]", "keys are ssh's business")
    options = {
        "BatchMode": "yes",  # a question would wait for ever
        "ConnectTimeout": str(max(1, round(timeout))),
        "ExitOnForwardFailure": "yes",
        "ServerAliveInterval": str(ALIVE_SECONDS),
        "ServerAliveCountMax": "3",
        "ControlPath": "none",
        "LogLevel": "ERROR",
    }
    return [
        "ssh", "-T",
        *(["-F", str(config)] if config else []),
        *(f"-o{name}={value}" for name, value in options.items()),
        *(["-p", str(parts.port)] if parts.port else []),
        *(["-l", parts.username] if parts.username else []),
        "-L", f"{socket}:{parts.path if parts.path not in ('', '/') else ENGINE_SOCKET}",
        "--", parts.hostname, "echo ready; exec cat >/dev/null",
    ]  # fmt: skip
