"""What uvicorn leaves open: limits of time and size for headers, a limit of connections, a quiet and bounded end."""

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
#: A client that reads nothing of its answer for so many seconds is gone.
READING_SECONDS = 60.0
#: Descriptors that are not connections: the worker's pipes, its log, libraries.
_OTHER_FILES = 64
_WANTED_FILES = 16384


class BoundedHttp(HttpToolsProtocol):
    """HTTP/1.1 whose headers have to come in time and within a size; connections beyond a number are closed at once."""

    most_connections = _WANTED_FILES
    header_seconds = 10.0

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._header_timer: asyncio.TimerHandle | None = None
        self._reading_timer: asyncio.TimerHandle | None = None
        self._in_header, self._header_bytes = True, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client."""
        super().connection_made(cast(asyncio.Transport, transport))
        if len(self.connections) > self.most_connections:
            self.transport.abort()
            return
        self._wait_for_header()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._stop_waiting()
        if self._reading_timer is not None:
            self._reading_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Part of a header or of a body."""
        super().data_received(data)
        if self._in_header and not self.transport.is_closing():
            self._header_bytes += len(data)
            if self._header_bytes > HEADER_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._in_header, self._header_bytes = True, 0
        if self._header_timer is None:
            self._wait_for_header()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A body or an answer is next."""
        self._in_header = False
        self._stop_waiting()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """The client reads more slowly than it is answered."""
        self._reading_timer = self.loop.call_later(READING_SECONDS, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        """It has read on."""
        if self._reading_timer is not None:
            self._reading_timer.cancel()
        super().resume_writing()

    def _wait_for_header(self) -> None:
        self._header_timer = self.loop.call_later(self.header_seconds, self._too_late)

    def _stop_waiting(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _too_late(self) -> None:
        self._header_timer = None
        if self._header_bytes:
            self._refuse(b"408 Request Timeout")
        else:
            self.transport.close()

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            # nothing may be written into an answer to the request before
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()


class QuietServer(Server):
    """Says once that it is there; SIGTERM and SIGINT end it in good order, a second one at once."""

    def __init__(self, config: Config, there: Callable[[], None]) -> None:
        super().__init__(config)
        self._require_ready = there

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens."""
        await super().startup(sockets)
        self._require_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """A signal to end."""
        self.force_exit, self.should_exit = self.should_exit, True


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket with the address, taken before a model is loaded in vain. Port 0: any free one."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as cause:
        raise BadInput(f"--host {host!r}: {cause}", "say, 127.0.0.1, or 0.0.0.0 for all of this machine's") from None
    bound = socket.socket(family, kind, number)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as cause:
        bound.close()
        raise EdgeBenchError(f"{host}:{port}: {cause.strerror}", "another --port, or 0 for any free one") from None
    bound.setblocking(False)
    return bound


def raise_file_limit() -> int:
    """Lets this process open as many files as it may; how many connections that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(wanted, soft) - _OTHER_FILES
