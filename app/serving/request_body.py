"""Request bodies within limits of size, time and memory, and responses to requests before their body is read."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from edge_bench.app.serving.errors import RequestError
from edge_bench.bench.progress import time_limit

__all__ = ["BodyReader", "Reply"]

#: Largest body, in bytes, that is read after a request is refused, so that the connection stays open.
READ_ANYWAY = 256 << 10
#: Seconds to read and discard a larger body. Without this, a client that is still sending would lose the response.
LINGER_SECONDS = 10.0
_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_BODY_READ = "edge_bench.read"  # key in an ASGI scope, set once the whole body has been read


class BodyReader:
    """Reader of bodies: at most ``max_bytes`` each and ``max_total_bytes`` at once, within ``timeout`` seconds."""

    def __init__(self, max_bytes: int, timeout: float, max_total_bytes: int) -> None:
        self._max_bytes, self._timeout, self._max_total_bytes = max_bytes, timeout, max_total_bytes
        self._total_bytes = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes | bytearray]:
        """Yield the whole body, decompressed. Raise RequestError if a limit is exceeded or the encoding is wrong.

        The bytes of the body count towards the total until the context ends.
        """
        usage = _Usage()
        try:
            yield await self._read(request, usage)
        finally:
            self._total_bytes -= usage.bytes

    async def _read(self, request: Request, usage: "_Usage") -> bytes | bytearray:
        encoding = request.headers.get("content-encoding", "identity").lower()
        if encoding != "identity" and encoding not in _WINDOW_BITS:
            raise RequestError(415, f"Content-Encoding {encoding[:20]!r} is not supported; use gzip or deflate")
        length = _header(request.scope, b"content-length")
        if length is not None and int(length) > self._max_bytes:  # the HTTP parser checked that it is a number
            raise self._too_large()
        try:
            async with asyncio.timeout(self._timeout):
                body = await self._receive(request, usage)
        except TimeoutError:
            raise RequestError(408, f"no complete body within {time_limit(self._timeout)}") from None
        if encoding == "identity":
            return body
        decompressed = await asyncio.to_thread(self._decompress, body, encoding)
        self._reserve(len(decompressed), usage)
        return decompressed

    async def _receive(self, request: Request, usage: "_Usage") -> bytes | bytearray:
        body: bytes | bytearray = b""
        while True:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise RequestError(400, "the client disconnected")
            part = message.get("body", b"")
            if len(body) + len(part) > self._max_bytes:
                raise self._too_large()
            self._reserve(len(part), usage)
            if not body:
                body = part  # usually the whole body, which is not copied
            elif isinstance(body, bytearray):
                body += part
            else:
                body = bytearray(body) + part
            if not message.get("more_body", False):
                request.scope[_BODY_READ] = True
                return body

    def _reserve(self, size: int, usage: "_Usage") -> None:
        self._total_bytes += size
        usage.bytes += size
        if self._total_bytes > self._max_total_bytes:
            raise RequestError(503, "too much memory is used by other requests", retry_after=1)

    def _decompress(self, body: bytes | bytearray, encoding: str) -> bytes:
        inflate = zlib.decompressobj(_WINDOW_BITS[encoding])
        try:
            data = inflate.decompress(body, self._max_bytes + 1)
        except zlib.error:
            raise RequestError(400, f"the body is not valid {encoding}") from None
        if len(data) > self._max_bytes:
            raise self._too_large()
        if not inflate.eof or inflate.unused_data:
            raise RequestError(400, f"the body is not one complete {encoding} stream")
        return data

    def _too_large(self) -> RequestError:
        return RequestError(413, f"the body exceeds the limit of {self._max_bytes:,} bytes")


@dataclass
class _Usage:
    """Bytes of the total that belong to one request."""

    bytes: int = 0


class Reply(Response):
    """Response that may be sent before the request's body is read.

    A small body is read first and the connection stays open. A large body is discarded after the response for up to
    LINGER_SECONDS: a client that is still sending would lose a response followed by an immediate close.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, and read or discard the rest of the request's body."""
        if scope.get(_BODY_READ) or (_is_small(scope) and self.status_code != 408 and await _drain(receive)):
            await super().__call__(scope, receive, send)
            return
        if self.status_code == 408 or _expects_continue(scope):
            await self.send_and_close(send)
        else:
            await self.send_and_close(send, _drain(receive))

    async def send_and_close(self, send: Send, before_close: Coroutine[Any, Any, object] | None = None) -> None:
        """Send the response, await ``before_close``, then close the connection."""
        self.headers["connection"] = "close"
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": before_close is not None})
        if before_close is not None:
            await before_close
            await send({"type": "http.response.body", "body": b""})


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)


def _expects_continue(scope: Scope) -> bool:
    return (_header(scope, b"expect") or b"").lower() == b"100-continue"


def _is_small(scope: Scope) -> bool:
    """Return whether the body is being sent and has at most READ_ANYWAY bytes. False if its length is unknown."""
    length = _header(scope, b"content-length")
    if length is None:
        return _header(scope, b"transfer-encoding") is None  # neither header: no body
    return int(length) <= READ_ANYWAY and not _expects_continue(scope)


async def _drain(receive: Receive) -> bool:
    """Discard the body. Return whether it ended within LINGER_SECONDS."""
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return False
                if not message.get("more_body", False):
                    return True
    except TimeoutError:
        return False
