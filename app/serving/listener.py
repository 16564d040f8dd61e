"""The listening socket of the server, and limits that apply to a connection before its TLS handshake ends.

uvicorn handles connections only after the handshake. asyncio does not count them, allows 60 s for a handshake, and uses
256 KiB for each TLS connection.
"""

import asyncio
import resource
import socket
from typing import Any
from weakref import WeakSet

from edge_bench.bench.errors import BadInput, EdgeBenchError

__all__ = ["BoundedListener", "ServerLoop", "listening_socket", "raise_file_limit"]

#: File descriptors reserved for the worker's pipes and log, and for libraries.
_RESERVED_FILES = 64
_MAX_FILES = 16384
#: Each TLS connection uses about 0.3 MB from the start.
_MAX_TLS_CONNECTIONS = 512
#: Seconds that a client has to confirm the end of TLS.
_SHUTDOWN_SECONDS = 5.0


class BoundedListener(socket.socket):
    """Listening socket with a limit on open connections. Further ones are closed before anything is read."""

    def __init__(self, family: int, kind: int, number: int) -> None:
        super().__init__(family, kind, number)
        self.most = _MAX_FILES
        self._open: WeakSet[_Connection] = WeakSet()

    def accept(self) -> tuple[socket.socket, Any]:
        """Return a connection and its address. Raise ConnectionAbortedError if there are too many."""
        accepted, address = super().accept()
        if len(self._open) >= self.most:
            accepted.close()
            raise ConnectionAbortedError("too many connections")
        connection = _Connection(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        connection.others = self._open
        self._open.add(connection)
        return connection, address


class _Connection(socket.socket):
    """Connection that counts as open until it is closed."""

    others: "WeakSet[_Connection]"

    def close(self) -> None:
        """Close the connection and stop counting it."""
        self.others.discard(self)
        super().close()


class ServerLoop(asyncio.SelectorEventLoop):
    """Event loop whose servers limit a TLS handshake to ``handshake_seconds``."""

    def __init__(self, handshake_seconds: float) -> None:
        super().__init__()
        self._handshake_seconds = handshake_seconds

    async def create_server(self, *arguments: Any, **options: Any) -> Any:
        """Create a server with TLS time limits that uvicorn has no settings for."""
        if options.get("ssl"):
            options |= {"ssl_handshake_timeout": self._handshake_seconds, "ssl_shutdown_timeout": _SHUTDOWN_SECONDS}
        return await super().create_server(*arguments, **options)


def listening_socket(host: str, port: int) -> BoundedListener:
    """Return a bound socket (port 0: any free). Raise BadInput for an unknown host, EdgeBenchError if bind fails."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as cause:
        raise BadInput(f"--host {host!r}: {cause}", "use 127.0.0.1, or 0.0.0.0 for all addresses") from None
    listener = BoundedListener(family, kind, number)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as cause:
        listener.close()
        raise EdgeBenchError(f"{host}:{port}: {cause.strerror}", "use another --port, or 0 for any free one") from None
    listener.setblocking(False)
    return listener


def raise_file_limit(*, tls: bool) -> int:
    """Raise the limit of open files, up to the hard limit or 16,384. Return the number of connections to accept."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_FILES)
    if soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    most = min(max(limit, soft), _MAX_FILES) - _RESERVED_FILES
    return min(most, _MAX_TLS_CONNECTIONS) if tls else most
