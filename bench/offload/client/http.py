"""HTTP client of an inference server that times each step: one connection, one request at a time.

Answers are parsed by http.client. A request is written by hand in a single send, so that its end is one point in time.
"""

import contextlib
import http.client
import re
import socket
import ssl
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.addresses import address_from
from edge_bench.bench.io.files import why_unreadable
from edge_bench.bench.offload.client.open_inference import Answer, ModelMetadata, OipError, Request, answer_from
from edge_bench.bench.progress import time_limit

__all__ = ["NOT_ALLOWED", "Client", "ReadAnswer", "RemoteFailed", "Server", "TimedAnswer", "server_from"]

#: Maximum bytes of an answer's body. The labels of 10,000 images take 80 kB.
MAX_ANSWER = 16 << 20
_CHUNK = 1 << 16
#: Kind of the failure if the server does not accept the token.
NOT_ALLOWED = "not allowed"

#: Decodes a body, given the length of its JSON, the model's name and the number of examples. Raises OipError.
ReadAnswer = Callable[[bytes, int | None, str, int], Answer]


class RemoteFailed(Exception):
    """Failed request: ``kind`` and the message describe the failure, ``remedy`` how to fix it."""

    def __init__(self, kind: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.kind, self.remedy = kind, remedy


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Address of a server."""

    host: str
    port: int
    secure: bool = False
    prefix: str = ""  # prepended to the path of every request

    @property
    def url(self) -> str:
        """The address as a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.secure else ''}://{host}:{self.port}{self.prefix}"


class TimedAnswer(NamedTuple):
    """An answer, and the times of the client's clock at which each step ended, in nanoseconds."""

    answer: Answer
    began: int  # the request is encoded and about to be sent
    sent: int  # the request was handed to the system's network stack
    first: int  # the answer's headers were received
    received: int  # the whole answer was received
    decoded: int
    bytes_up: int  # with all HTTP headers
    bytes_down: int


class _HttpAnswer(NamedTuple):
    """Any answer with status 200. Times and bytes are those of TimedAnswer."""

    sent: int
    first: int
    content: bytes
    response: http.client.HTTPResponse
    bytes_up: int
    bytes_down: int


def server_from(url: str) -> Server:
    """Return the server at ``http://host:8000`` or ``https://…``. Raise BadInput for anything else."""
    try:
        parts = address_from(url)
    except ValueError as cause:
        raise BadInput(f"--server {url[:200]!r} has {cause}", "use --server http://192.168.1.10:8000") from None
    if parts.scheme not in ("http", "https") or not parts.host or parts.query or parts.user is not None:
        raise BadInput(f"--server {url!r}: not the address of a server", "use --server http://192.168.1.10:8000")
    secure = parts.scheme == "https"
    return Server(
        host=parts.host, port=parts.port or (443 if secure else 80), secure=secure, prefix=parts.path.rstrip("/")
    )


class Client:
    """One connection to a server, or to the local port ``through`` of a simulated link. Errors are RemoteFailed."""

    def __init__(
        self,
        server: Server,
        *,
        through: int | None = None,
        token: str = "",
        timeout: float = 60.0,
        max_answer: int = MAX_ANSWER,
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._max_answer = max_answer
        self._server, self._timeout, self._clock = server, timeout, clock
        self._address = (server.host, server.port) if through is None else ("127.0.0.1", through)
        host = f"[{server.host}]" if ":" in server.host else server.host
        self._common = f"Host: {host}:{server.port}\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")
        self._socket: socket.socket | None = None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Safe to call twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def connect(self) -> None:
        """Open the connection if it is not open."""
        if self._socket is not None:
            return
        try:
            plain = socket.create_connection(self._address, self._timeout)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = plain
            if self._server.secure:
                context = ssl.create_default_context()
                self._socket = context.wrap_socket(plain, server_hostname=self._server.host)
        except (OSError, UnicodeError) as cause:  # UnicodeError: a name that is invalid in DNS
            self.close()
            raise RemoteFailed(
                "unreachable",
                f"{self._server.url} cannot be reached: {why_unreadable(cause)}",
                "start it there with `edge-bench serve BUNDLE --host 0.0.0.0 --token-file FILE`, and check address, "
                "port and firewall",
            ) from None

    def handshake(self) -> int:
        """Return the nanoseconds of another TCP handshake: one round trip between the two kernels."""
        began = self._clock()
        try:
            with socket.create_connection(self._address, self._timeout):
                return self._clock() - began
        except OSError as cause:
            raise RemoteFailed("ended", f"{self._server.url} accepts no more connections: {cause}") from None

    def metadata(self, model: str) -> ModelMetadata:
        """Return the server's metadata of a model."""
        body = self._request("GET", f"/v2/models/{quote(model, safe='')}").content
        try:
            return msgspec.json.decode(body, type=ModelMetadata)
        except (ValueError, RecursionError) as cause:  # msgspec's errors are ValueErrors
            raise _invalid_answer(str(cause)[:120]) from None

    def ready(self) -> int:
        """Return the nanoseconds from sending a request without content to its answer: the cost of path and HTTP."""
        self.connect()
        began = self._clock()
        self._request("GET", "/v2/health/ready")
        return self._clock() - began

    def infer(self, model: str, request: Request, count: int, read: ReadAnswer = answer_from) -> TimedAnswer:
        """Send ``count`` examples and return the answer, which ``read`` decodes; by default, the labels of images."""
        self.connect()
        headers = f"Inference-Header-Content-Length: {request.header_bytes}\r\n"
        began = self._clock()
        reply = self._request("POST", f"/v2/models/{quote(model, safe='')}/infer", request.body, headers)
        received = self._clock()
        length = reply.response.getheader("Inference-Header-Content-Length")
        try:
            answer = read(reply.content, _header_length(length), model, count)
        except OipError as cause:
            self.close()
            raise _invalid_answer(str(cause)) from None
        decoded = self._clock()
        return TimedAnswer(answer, began, reply.sent, reply.first, received, decoded, reply.bytes_up, reply.bytes_down)

    def reconnect_if_closed(self) -> None:
        """Open the connection again if the server closed it while it was idle."""
        try:
            self.ready()
        except RemoteFailed as cause:
            if cause.kind != "ended":
                raise
            self.ready()

    def _request(self, method: str, path: str, body: bytes = b"", headers: str = "") -> _HttpAnswer:
        """Send a request and return its answer. Raise RemoteFailed for any status but 200."""
        self.connect()
        assert self._socket is not None  # noqa: S101 - connect() raises or sets it
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = f"{method} {self._server.prefix}{path} HTTP/1.1\r\n{self._common}{headers}{length}\r\n"
        message = head.encode("latin-1", "replace") + body
        response = http.client.HTTPResponse(self._socket, method=method)
        try:
            self._socket.sendall(message)
            sent = self._clock()
            response.begin()
            first = self._clock()
            content = self._read_content(response)
        except TimeoutError:
            response.close()
            self.close()
            raise RemoteFailed(
                "no answer",
                f"{self._server.url} did not answer within {time_limit(self._timeout)}",
                "use a larger --timeout",
            ) from None
        except (http.client.HTTPException, OSError, ValueError) as cause:
            response.close()
            self.close()
            if isinstance(cause, http.client.RemoteDisconnected | http.client.IncompleteRead | ConnectionError):
                raise RemoteFailed("ended", f"{self._server.url} closed the connection before it answered") from None
            raise _invalid_answer(str(cause)[:120] or type(cause).__name__) from None
        if response.will_close:
            self.close()
        if response.status != http.HTTPStatus.OK:
            raise _refused(self._server, response.status, content)
        # "HTTP/1.1 200 OK" and an empty line, each with its line end; each header has a colon, a space and a line end
        bytes_down = 19 + sum(len(name) + len(value) + 4 for name, value in response.getheaders()) + len(content)
        return _HttpAnswer(sent, first, content, response, len(message), bytes_down)

    def _read_content(self, response: http.client.HTTPResponse) -> bytes:
        content = bytearray()
        while chunk := response.read(_CHUNK):
            content += chunk
            if len(content) > self._max_answer:
                raise ValueError(f"an answer of more than {self._max_answer >> 20} MiB")
        if response.length:  # read() also returns b"" if the connection ends before the answer
            raise http.client.IncompleteRead(bytes(content), response.length)
        return bytes(content)


def _header_length(stated: str | None) -> int | None:
    """Return the stated length of an answer's JSON; 0, which no JSON has, if it is not a number."""
    if stated is None:
        return None
    return int(stated) if re.fullmatch("[0-9]{1,12}", stated) else 0


def _invalid_answer(what: str) -> RemoteFailed:
    return RemoteFailed("nonsense", f"invalid answer of the server: {what}", "check that it is `edge-bench serve`")


def _refused(server: Server, status: int, content: bytes) -> RemoteFailed:
    reason = ""
    with contextlib.suppress(ValueError, RecursionError):
        error = msgspec.json.decode(content[:65_536], type=dict[str, object]).get("error", "")
        reason = "".join(c for c in str(error)[:200] if c.isprintable())
    text = f"{server.url} answered {status}{f': {reason}' if reason else ''}"
    match status:
        case http.HTTPStatus.UNAUTHORIZED | http.HTTPStatus.FORBIDDEN:
            return RemoteFailed(NOT_ALLOWED, text, "set the server's token with --token-file FILE or EDGE_BENCH_TOKEN")
        case http.HTTPStatus.SERVICE_UNAVAILABLE:
            return RemoteFailed("busy", text, "use fewer --in-flight, or a longer --queue of the server")
        case http.HTTPStatus.NOT_FOUND:
            return RemoteFailed("another model", text, "serve the same bundle with `edge-bench serve`, or set --model")
        case _:
            return RemoteFailed("refused", text)
