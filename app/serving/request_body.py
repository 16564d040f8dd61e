"""Bodies of requests, within limits of size, time and memory; and refusals of what is beyond them."""

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

__all__ = ["BodyReader", "Reply"]

#: A refused request's body of up to so many bytes is read, so that the connection can go on.
READ_ANYWAY = 256 << 10
#: What is sent beyond that is thrown away for so many seconds, so that a client that writes first sees the answer.
LINGER_SECONDS = 10.0
_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_READ = "edge_bench.read"  # in a scope: its body has been read


class BodyReader:
    """Reads bodies of at most ``most`` bytes, each within ``seconds``; all together hold at most ``together`` bytes."""

    def __init__(self, most: int, seconds: float, together: int) -> None:
        self._most, self._seconds, self._together = most, seconds, together
        self._held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes | bytearray]:
        """The whole body, decompressed; its memory counts until the context ends. Fault says what it is beyond."""
        share = _Share()
        try:
            yield await self._read(request, share)
        finally:
            self._held -= share.bytes

    async def _read(self, request: Request, share: "_Share") -> bytes | bytearray:
        encoding = request.headers.get("content-encoding", "identity").lower()
        if encoding != "identity" and encoding not in _WINDOW_BITS:
            raise RequestError(415, f"Content-Encoding {encoding[:20]!r}; gzip and deflate are taken")
        stated = _header(request.scope, b"content-length")
        if stated is not None and int(stated) > self._most:  # the parser has seen that it is a number
            raise self._too_large()
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._gathered(request, share)
        except TimeoutError:
            raise RequestError(408, f"the body was not there within {self._seconds:g} s") from None
        if encoding == "identity":
            return body
        inflated = await asyncio.to_thread(self._inflated, body, encoding)
        self._hold(len(inflated), share)
        return inflated

    async def _gathered(self, request: Request, share: "_Share") -> bytes | bytearray:
        body: bytes | bytearray = b""
        while True:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise RequestError(400, "the client went away")
            part = message.get("body", b"")
            if len(body) + len(part) > self._most:
                raise self._too_large()
            self._hold(len(part), share)
            if not body:
                body = part  # mostly all of it
            elif isinstance(body, bytearray):
                body += part
            else:
                body = bytearray(body) + part
            if not message.get("more_body", False):
                request.scope[_READ] = True
                return body

    def _hold(self, size: int, share: "_Share") -> None:
        self._held += size
        share.bytes += size
        if self._held > self._together:
            raise RequestError(503, "too many bodies are held already", retry_after=1)

    def _inflated(self, body: bytes | bytearray, encoding: str) -> bytes:
        inflate = zlib.decompressobj(_WINDOW_BITS[encoding])
        try:
            data = inflate.decompress(body, self._most + 1)
        except zlib.error as cause:
            raise RequestError(400, f"the body is not {encoding}: {cause}") from None
        if len(data) > self._most:
            raise self._too_large()
        if not inflate.eof or inflate.unused_data:
            raise RequestError(400, f"the body is not one whole {encoding} stream")
        return data

    def _too_large(self) -> RequestError:
        return RequestError(413, f"a body may have {self._most:,} bytes")


@dataclass
class _Share:
    """How much of what is held is one request's."""

    bytes: int = 0


class Reply(Response):
    """An answer that may be given before the body was read, and then deals with what is still to come.

    A small body is read first and the connection goes on. Of a large one a part is thrown away after the answer, since
    a client that is still writing would lose an answer on a connection that is closed at once. Nothing is kept.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers."""
        if scope.get(_READ) or (_is_small(scope) and self.status_code != 408 and await _thrown_away(receive)):
            await super().__call__(scope, receive, send)
            return
        if self.status_code == 408 or _waits_for_leave(scope):
            await self.at_once(send)
        else:
            await self.at_once(send, _thrown_away(receive))

    async def at_once(self, send: Send, after: Coroutine[Any, Any, object] | None = None) -> None:
        """Answers and closes the connection, though not before what is to be done ``after`` the answer."""
        self.headers["connection"] = "close"
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": after is not None})
        if after is not None:
            await after
            await send({"type": "http.response.body", "body": b""})


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == wanted), None)


def _waits_for_leave(scope: Scope) -> bool:
    return (_header(scope, b"expect") or b"").lower() == b"100-continue"


def _is_small(scope: Scope) -> bool:
    """Whether the rest of the body is on its way and little; of a body without a length nobody knows."""
    length = _header(scope, b"content-length")
    if length is None:
        return _header(scope, b"transfer-encoding") is None  # then there is none
    return int(length) <= READ_ANYWAY and not _waits_for_leave(scope)


async def _thrown_away(receive: Receive) -> bool:
    """Whether the body came to its end in time."""
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
