"""Round trips of a few bytes to an echo server in its own process.

Run as ``python -m edge_bench.bench.offload.network.echo``.
"""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from types import TracebackType

from edge_bench.bench.io.python_process import module_command, module_environment

__all__ = ["Pinger", "echo", "round_trips"]


class Pinger:
    """The echo process, seen from its parent; its echo server is at ``port`` of 127.0.0.1."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            module_command("edge_bench.bench.offload.network.echo"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=module_environment(),
        )  # fmt: skip
        self.port = int(self._read_line())

    def __enter__(self) -> "Pinger":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, cause: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def round_trip(self, port: int, count: int) -> float:
        """Return the shortest of ``count`` round trips to the echo server through ``port``, in seconds.

        The shortest is what the way itself takes: other programs lengthen round trips, and never shorten them.
        """
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        self._process.stdin.write(f"{port} {count}\n")
        self._process.stdin.flush()
        return float(self._read_line())

    def _read_line(self) -> str:
        assert self._process.stdout is not None  # noqa: S101
        return self._process.stdout.readline()


def echo(listener: socket.socket) -> None:
    """Send received bytes back on every connection until the listener is closed."""

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1 << 16):
                connection.sendall(data)

    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, args=(connection,), daemon=True).start()


def round_trips(port: int, count: int) -> list[float]:
    """Return the durations of ``count`` round trips of four bytes, in seconds, the shortest first."""
    times = []
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            began = time.perf_counter()
            connection.sendall(b"ping")
            connection.recv(4)
            times.append(time.perf_counter() - began)
    return sorted(times)


def main() -> int:
    """Print the port of the echo server. Answer each line of stdin, a port and a count, by the shortest trip."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=echo, args=(listener,), daemon=True).start()
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        for line in sys.stdin:
            port, count = line.split()
            sys.stdout.write(f"{round_trips(int(port), int(count))[0]}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
