"""Limits for HTTP connections that uvicorn 0.54 has no setting for, and a clean exit after a signal.

Measured with uvicorn's own settings, on httptools and h11, and with its own Server:
- header time: ``timeout_keep_alive`` starts after a response, so slow and idle new connections stay open;
- header size: httptools sets no limit, and ``h11_max_incomplete_event_size`` answers 400 instead of 431;
- number of connections: ``limit_concurrency`` answers complete requests with 503, but idle connections stay open;
- client that never reads: closing a connection first waits for its unsent response, so no setting ends it;
- signals: uvicorn raises a signal again after shutdown, so that the command exits with 130 instead of 0.
"""

import asyncio
import resource
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any, cast

from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from edge_bench.bench.errors import BadInput, EdgeBenchError

__all__ = ["BoundedHttp", "QuietServer", "listening_socket", "raise_file_limit"]

HEADER_BYTES = 64 << 10
#: Seconds that a client may block the sending of its response before it is disconnected.
WRITE_TIMEOUT = 60.0
#: File descriptors for other uses than connections: pipes and log of the worker, libraries.
_RESERVED_FILES = 64
_MAX_FILES = 16384


class BoundedHttp(HttpToolsProtocol):
    """HTTP/1.1 connection with limits on header time and size, write time and the number of connections."""

    max_connections = _MAX_FILES
    header_timeout = 10.0  # seconds

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._reading_header, self._only_header, self._header_bytes = True, True, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the header timer, or disconnect the client if there are too many connections."""
        super().connection_made(cast(asyncio.Transport, transport))
        if len(self.connections) > self.max_connections:
            self.transport.abort()
            return
        self._start_header_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        self._stop_header_timer()
        if self._write_timer is not None:
            self._write_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data, and refuse a header that is too large."""
        # if a body ends in this data, the header after it is counted from the next data on
        self._only_header = self._reading_header
        super().data_received(data)
        if self._only_header and self._reading_header and not self.transport.is_closing():
            self._header_bytes += len(data)
            if self._header_bytes > HEADER_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """Start the header timer at the first byte of a request."""
        self._reading_header, self._header_bytes = True, 0
        if self._header_timer is None:
            self._start_header_timer()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop the header timer."""
        self._reading_header = self._only_header = False
        self._stop_header_timer()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """Start the write timer, because the client reads more slowly than the response is sent."""
        self._write_timer = self.loop.call_later(WRITE_TIMEOUT, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        """Stop the write timer, because the client has read enough."""
        if self._write_timer is not None:
            self._write_timer.cancel()
        super().resume_writing()

    def _start_header_timer(self) -> None:
        self._header_timer = self.loop.call_later(self.header_timeout, self._on_header_timeout)

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _on_header_timeout(self) -> None:
        self._header_timer = None
        if self._header_bytes:
            self._refuse(b"408 Request Timeout")
        else:
            self.transport.close()

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            # do not write into the response to an earlier request
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()


class QuietServer(Server):
    """Server that calls ``on_ready`` once it listens. SIGTERM or SIGINT ends it gracefully, a second one at once."""

    def __init__(self, config: Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening."""
        await super().startup(sockets)
        self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Request a shutdown, which a second signal makes immediate."""
        self.force_exit, self.should_exit = self.should_exit, True


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a bound socket (port 0: any free). Raise BadInput for an unknown host, EdgeBenchError if bind fails."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as cause:
        raise BadInput(f"--host {host!r}: {cause}", "say, 127.0.0.1, or 0.0.0.0 for all of this machine's") from None
    listener = socket.socket(family, kind, number)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as cause:
        listener.close()
        raise EdgeBenchError(f"{host}:{port}: {cause.strerror}", "another --port, or 0 for any free one") from None
    listener.setblocking(False)
    return listener


def raise_file_limit() -> int:
    """Raise the limit of open files, up to the hard limit or 16,384. Return the number of connections that allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_FILES)
    if soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return max(limit, soft) - _RESERVED_FILES
