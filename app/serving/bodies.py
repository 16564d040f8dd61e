"""Bodies of requests, within limits of size, time and memory; and refusals of what is beyond them."""

import asyncio
import zlib
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.serving.faults import Fault

__all__ = ["Bodies", "Refusal"]

#: A refused request's body of up to so many bytes is read, so that the connection can go on.
READ_ANYWAY = 256 << 10
#: What is sent beyond that is thrown away for so many seconds, so that a client that writes first sees the answer.
LINGER_SECONDS = 10.0
_WINDOW_BITS = {b"gzip": 16 + zlib.MAX_WBITS, b"deflate": zlib.MAX_WBITS}


class Bodies:
    """Reads bodies of at most ``most`` bytes, each within ``seconds``; all together hold at most ``together`` bytes."""

    def __init__(self, most: int, seconds: float, together: int) -> None:
        self._most, self._seconds, self._together = most, seconds, together
        self.held = 0

    async def read(self, request: Request) -> bytes:
        """The whole body, decompressed. Fault says which limit it is beyond."""
        encoding = request.headers.get("content-encoding", "identity").lower().encode()
        if encoding != b"identity" and encoding not in _WINDOW_BITS:
            raise Fault(415, f"Content-Encoding {encoding.decode()[:20]!r}; gzip and deflate are taken")
        stated = _content_length(request)
        if stated is not None and stated > self._most:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._gathered(request)
        except TimeoutError:
            raise Fault(408, f"the body was not there within {self._seconds:g} s") from None
        if encoding == b"identity":
            return body
        if len(body) <= 1 << 16:
            return self._inflated(body, encoding)
        return await asyncio.to_thread(self._inflated, body, encoding)

    async def _gathered(self, request: Request) -> bytes:
        parts, size = list[bytes](), 0
        try:
            while True:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise Fault(400, "the client went away")
                part = message.get("body", b"")
                size += len(part)
                self.held += len(part)
                if size > self._most:
                    raise self._too_large()
                if self.held > self._together:
                    raise Fault(503, "too many bodies are being received", retry_after=1)
                parts.append(part)
                if not message.get("more_body", False):
                    request.scope["edge_bench.read"] = True
                    return parts[0] if len(parts) == 1 else b"".join(parts)
        finally:
            self.held -= size

    def _inflated(self, body: bytes, encoding: bytes) -> bytes:
        inflate = zlib.decompressobj(_WINDOW_BITS[encoding])
        try:
            data = inflate.decompress(body, self._most + 1)
        except zlib.error as cause:
            raise Fault(400, f"the body is not {encoding.decode()}: {cause}") from None
        if len(data) > self._most:
            raise self._too_large()
        if not inflate.eof or inflate.unused_data:
            raise Fault(400, f"the body is not one whole {encoding.decode()} stream")
        return data

    def _too_large(self) -> Fault:
        return Fault(413, f"a body may have {self._most:,} bytes")


class Refusal(Response):
    """An answer that may be given before the body was read, and then deals with what is still to come.

    A small body is read first and the connection goes on. Of a large one a part is thrown away after the answer, since
    a client that is still writing would lose an answer on a connection that is closed at once. Nothing is kept.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers."""
        late = self.status_code == 408
        if scope.get("edge_bench.read") or (not late and await _read_anyway(scope, receive)):
            await super().__call__(scope, receive, send)
            return
        self.headers["connection"] = "close"
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        if not late and not _waits_for_leave(scope):
            await _thrown_away(receive)
        await send({"type": "http.response.body", "body": b""})


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == wanted), None)


def _content_length(request: Request) -> int | None:
    stated = _header(request.scope, b"content-length")
    return int(stated) if stated is not None else None  # the parser has checked it


def _waits_for_leave(scope: Scope) -> bool:
    return (_header(scope, b"expect") or b"").lower() == b"100-continue"


async def _read_anyway(scope: Scope, receive: Receive) -> bool:
    """Reads the rest of a small body that is on its way."""
    length = _header(scope, b"content-length")
    if length is None:
        return _header(scope, b"transfer-encoding") is None  # then there is no body
    if int(length) > READ_ANYWAY or _waits_for_leave(scope):
        return False
    return await _thrown_away(receive)


async def _thrown_away(receive: Receive) -> bool:
    """Whether the body came to its end in time."""
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while True:
                message: dict[str, Any] = dict(await receive())
                if message["type"] == "http.disconnect":
                    return False
                if not message.get("more_body", False):
                    return True
    except TimeoutError:
        return False
