"""HTTP connection limits that uvicorn 0.54 has no settings for, and a clean exit after a signal.

Behaviour of uvicorn's own settings, with httptools and h11, and of its own Server:
- header time: ``timeout_keep_alive`` starts after a response, so slow and idle new connections stay open.
- bytes outside bodies: httptools sets no limit and keeps every trailer of a body as a header.
  ``h11_max_incomplete_event_size`` answers 400 instead of 431.
- number of connections: ``limit_concurrency`` answers complete requests with 503, but idle connections stay open
  (the listening socket limits them, in listener.py).
- pipelined requests: all requests in the received data are queued, without a limit.
- clients that never read: closing a connection first waits for its unsent response, so no setting ends it.
- signals: uvicorn raises a signal again after shutdown, so that the command exits with 130 instead of 0.
"""

import asyncio
import socket
from collections.abc import Callable
from http import HTTPStatus
from types import FrameType
from typing import Any, cast

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from edge_bench.app.serving.errors import RequestError
from edge_bench.bench.progress import time_limit

__all__ = ["HEADER_BYTES", "MAX_CHUNKS", "BoundedHttp", "QuietServer"]

#: Limit on the header of a request with preceding blank lines, and on chunk extensions and trailers of its body.
HEADER_BYTES = 64 << 10
#: Limits on the chunks of a body, each of which costs about 2 µs, and on the length of a chunk's line.
MAX_CHUNKS, _CHUNK_LINE_BYTES = 1 << 16, 16
#: Bytes parsed at once. Requests that begin and end in one slice are not delayed.
_SLICE_BYTES = 4 << 10
#: Limit on bytes received while another request is answered. Reading is paused at the first byte.
_MAX_UNPARSED_BYTES = 2 << 20
#: Time and bytes that a client may still send after it was refused.
_LINGER_SECONDS, _LINGER_BYTES = 2.0, 16 << 20
#: Seconds that a client may block the sending of its response before it is disconnected.
WRITE_TIMEOUT = 60.0


class BoundedHttp(HttpToolsProtocol):
    """HTTP/1.1 connection on which every received byte counts towards a limit.

    Bytes outside bodies are counted from the end of one request to the end of the next: blank lines, the header,
    chunk sizes and extensions, trailers. Trailers are not kept. A refused connection gets one JSON error after the
    responses to its earlier requests, and nothing else is parsed.
    """

    header_timeout = 10.0  # seconds

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._unparsed = bytearray()  # request that waits until earlier ones are answered
        self._in_header, self._in_body = True, False
        self._outside_bytes, self._body_bytes, self._chunks = 0, 0, 0  # of the current request
        self._unanswered = 0  # requests
        self._ends, self._dropped_bytes = False, 0  # parsing has stopped
        self._refusal: RequestError | None = None  # to be sent after the responses to earlier requests

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the header timer."""
        super().connection_made(cast(asyncio.Transport, transport))
        self._start_header_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        self._stop_header_timer()
        if self._write_timer is not None:
            self._write_timer.cancel()
        self._ends = True
        self._unparsed.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data. Refuse the connection if a limit is exceeded."""
        if self._ends:
            self._dropped_bytes += len(data)
            if self._dropped_bytes > _LINGER_BYTES:
                self.transport.close()
            return
        self._unparsed += data
        self._parse()
        if len(self._unparsed) > _MAX_UNPARSED_BYTES:
            self.transport.abort()

    def _parse(self) -> None:
        """Parse received data in slices, up to a request that must wait for the response to an earlier one."""
        done = 0
        while done < len(self._unparsed) and not (self._ends or self.pipeline or self.transport.is_closing()):
            limit = HEADER_BYTES + (0 if self._in_header else _CHUNK_LINE_BYTES * self._chunks)
            left = limit - self._outside_bytes
            if left <= 0:
                what = "a header" if self._in_header else "chunk lines and trailers"
                self._refuse(RequestError(431, f"{what} of more than {limit:,} bytes"))
                break
            piece = bytes(self._unparsed[done : done + (min(left, _SLICE_BYTES) if self._in_header else _SLICE_BYTES)])
            self._parse_slice(piece)
            done += len(piece)
        del self._unparsed[:done]
        if self._ends:
            self._unparsed.clear()
        elif self._unparsed:
            self.flow.pause_reading()

    def _parse_slice(self, piece: bytes) -> None:
        self._body_bytes = 0
        try:
            self.parser.feed_data(piece)
        except HttpParserUpgrade:  # other protocols are not supported, and the following data may belong to one
            self._ends = True
            self.cycle.keep_alive = False
        except HttpParserError:
            self._refuse(RequestError(400, "this is not HTTP/1.1"))
        self._outside_bytes += len(piece) - self._body_bytes
        if self._chunks > MAX_CHUNKS:
            self._refuse(RequestError(413, f"the body has more than {MAX_CHUNKS:,} chunks: send larger chunks"))

    def on_message_begin(self) -> None:
        """Start the header timer at the first byte of a request."""
        self._unset_keepalive_if_required()
        if self._header_timer is None:
            self._start_header_timer()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, and drop a trailer."""
        if self._in_header:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop the header timer."""
        self._unset_keepalive_if_required()
        super().on_headers_complete()
        self._in_header, self._in_body = False, True
        self._outside_bytes = 0  # the body's chunk lines and trailers have their own limit
        self._unanswered += 1
        self._stop_header_timer()

    def on_chunk_header(self) -> None:
        """Count a chunk of a body."""
        self._chunks += 1

    def on_body(self, body: bytes) -> None:
        """Count the bytes of a body, which has its own limits."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Count from 0 for the next request."""
        self._in_header, self._in_body = True, False
        self._outside_bytes, self._chunks = 0, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Answer the next request, or refuse it."""
        self._unanswered -= 1
        super().on_response_complete()
        if self._refusal is not None:
            self._send_refusal()
        elif self._unparsed and not self.transport.is_closing():
            self._parse()

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
        if self._unparsed:  # the rest of the header has arrived but was not parsed
            self._start_header_timer()
        elif self._outside_bytes:
            self._refuse(RequestError(408, f"no complete header within {time_limit(self.header_timeout)}"))
        else:
            self.transport.close()

    def _refuse(self, error: RequestError) -> None:
        """Stop parsing. Send the error once the responses to earlier requests are complete."""
        if self._ends:
            return
        self._ends, self._refusal = True, error
        self._stop_header_timer()
        if self._in_body:  # cycle of the latest request, which is being answered or waits
            self._unanswered -= 1
            if self.pipeline:
                self.pipeline.popleft()
            elif self.cycle.response_started:
                self.transport.close()
            else:
                self.cycle.disconnected = True  # so that its own response is not sent
                self.cycle.message_event.set()
        self._send_refusal()

    def _send_refusal(self) -> None:
        if self._unanswered == 0 and self._refusal is not None and not self.transport.is_closing():
            error, self._refusal = self._refusal, None
            content = error.json
            head = f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n"
            head += f"content-type: application/json\r\ncontent-length: {len(content)}\r\nconnection: close\r\n\r\n"
            self.transport.write(head.encode() + content)
            if self.transport.can_write_eof():
                # closing with unread data would reset the connection, and the client might lose the response
                self.transport.write_eof()
                self.loop.call_later(_LINGER_SECONDS, self.transport.close)
            else:
                self.transport.close()


class QuietServer(Server):
    """Server that calls ``on_ready`` once it listens. SIGTERM or SIGINT ends it gracefully, a second signal at once."""

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
