"""Connections that send without end: each is refused early, with a JSON error, and costs little time and memory."""

import itertools
import json
import select
import socket
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from tests.app.serving.bodies import files, request_head
from tests.app.serving.server import Served

#: Bytes that a client sends unless the server stops it.
SENT = 48 << 20
CPU_SECONDS, MEMORY = 1.0, 200 << 20
CHUNKED = "Transfer-Encoding: chunked"


def error_of(received: bytes) -> tuple[int, str]:
    """Return the status and the JSON error of the last response among the received bytes."""
    head, _, body = received.rpartition(b"\r\n\r\n")
    head = head[head.rindex(b"HTTP/1.1 ") :]
    assert b"content-type: application/json" in head
    assert b"connection: close" in head
    assert f"content-length: {len(body)}".encode() in head
    return int(head.split()[1]), json.loads(body)["error"]


def received_for(server: Served, pieces: Iterator[bytes], most: int = SENT) -> tuple[bytes, int]:
    """Send pieces until the server ends the connection. Return what it sent, and the number of bytes it took."""
    received, sent = b"", 0
    with server.raw_connection() as connection:
        try:
            for piece in pieces:
                if sent > most:
                    break
                connection.sendall(piece)
                sent += len(piece)
                if select.select([connection], [], [], 0)[0]:
                    if not (part := connection.recv(1 << 16)):
                        return received, sent
                    received += part
            connection.settimeout(20)
            while part := connection.recv(1 << 16):
                received += part
        except (ConnectionError, TimeoutError):
            pass
    return received, sent


def endless(head: bytes, piece: bytes) -> Iterator[bytes]:
    """Yield a head, and then a piece again and again, 64 KiB at a time."""
    yield head
    block = piece * max(1, (64 << 10) // len(piece))
    while True:
        yield block


def endless_requests(server: Served) -> dict[str, tuple[bytes, bytes, int]]:
    """Return head, repeated piece and the expected status of each attempt."""
    chunked = request_head(server, CHUNKED)
    begun = b"GET /v2 HTTP/1.1\r\nHost: here\r\n"
    return {
        "trailers": (chunked + b"1\r\n{\r\n0\r\n", b"X-Trailer: " + b"a" * 80 + b"\r\n", 431),
        "short trailers": (chunked + b"0\r\n", b"a:\r\n", 431),
        "one trailer": (chunked + b"0\r\nX-Trailer: ", b"a" * 1000, 431),
        "a trailer's name": (chunked + b"0\r\nX", b"a" * 1000, 431),
        "trailers of another path": (
            f"GET /v2/health/live HTTP/1.1\r\nHost: here\r\n{CHUNKED}\r\n\r\n0\r\n".encode(), b"X: a\r\n", 431,
        ),
        "a chunk extension": (chunked + b"1;", b"a" * 1000, 431),
        "a chunk extension's value": (chunked + b'1;a="', b"a" * 1000, 431),
        "chunk extensions": (chunked, b"1;" + b"a" * 4000 + b"\r\n{\r\n", 431),
        "zeros of a chunk's size": (chunked, b"0" * 1000, 431),
        "tiny chunks": (chunked, b"1\r\n \r\n", 413),
        "blank lines": (b"", b"\r\n", 431),
        "header lines": (begun, b"X-Header: aaaaaaaa\r\n", 431),
        "short header lines": (begun, b"a:\r\n", 431),
        "one header line": (begun + b"X: ", b"a" * 1000, 431),
        "a header's name": (begun, b"a" * 1000, 431),
        "continuation lines": (begun + b"X: a\r\n", b" aaaaaaaa\r\n", 400),
        "a path": (b"GET /", b"a" * 1000, 431),
        "a method": (b"", b"A" * 1000, 400),
        "garbage": (b"", b"\x00\xff\x16\x03" * 100, 400),
        "interim responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 400),
        "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0\4\0\0\0\0\0", 400),
        "garbage after a request": (b"GET /v2 HTTP/1.1\r\nHost: here\r\n\r\n", b"\xff\xfe" * 100, 400),
        "garbage for a chunk's size": (chunked + b"1\r\n{\r\n", b"zz\r\n", 400),
    }  # fmt: skip


NAMES = [
    "trailers", "short trailers", "one trailer", "a trailer's name", "trailers of another path", "a chunk extension",
    "a chunk extension's value", "chunk extensions", "zeros of a chunk's size", "tiny chunks", "blank lines",
    "header lines", "short header lines", "one header line", "a header's name", "continuation lines", "a path",
    "a method", "garbage", "interim responses", "HTTP/2", "garbage after a request", "garbage for a chunk's size",
]  # fmt: skip


@pytest.mark.slow
def test_each_attempt_has_a_test(served: Served) -> None:
    assert list(endless_requests(served)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_endless_input_is_refused_early(served: Served, name: str) -> None:
    head, piece, status = endless_requests(served)[name]
    process = psutil.Process(served.process.pid)
    memory, before = served.memory(), process.cpu_times()
    received, sent = received_for(served, endless(head, piece))
    after = process.cpu_times()
    # a path that needs no body may be answered before its trailers are too many; the end of the connection, with
    # trailers that nobody reads, can then overtake the answer
    answered = name == "trailers of another path" and (not received or received.startswith(b"HTTP/1.1 200"))
    assert answered or error_of(received)[0] == status
    assert sent < SENT
    assert served.memory() < memory + MEMORY
    assert after.user + after.system - before.user - before.system < CPU_SECONDS
    assert served.ask("GET", "/v2/health/live").status == 200


@pytest.mark.slow
def test_nothing_is_held_of_a_client_without_the_token(light: Callable[..., Served]) -> None:
    with light("--token", "secret") as server:
        assert server.ask("GET", "/v2").status == 401
        memory = server.memory()
        for name in ("trailers", "one trailer", "chunk extensions", "header lines", "blank lines"):
            head, piece, status = endless_requests(server)[name]
            received, sent = received_for(server, endless(head, piece))
            assert error_of(received)[0] in (status, 401)
            assert sent < SENT
        assert server.memory() < memory + MEMORY / 4


@pytest.mark.parametrize("kibibytes", [70, 120, 400])
@pytest.mark.parametrize("parts", [1, 40])
def test_a_large_header_is_refused_in_one_packet_and_in_many(served: Served, kibibytes: int, parts: int) -> None:
    header = b"GET /v2 HTTP/1.1\r\nHost: here\r\nX: " + b"a" * (kibibytes << 10) + b"\r\n\r\n"
    size = len(header) // parts + 1
    pieces = (header[start : start + size] for start in range(0, len(header), size))
    assert error_of(received_for(served, pieces)[0])[0] == 431


@pytest.mark.parametrize("kibibytes", [1, 60])
def test_a_header_within_the_limit_is_accepted(served: Served, kibibytes: int) -> None:
    header = b"GET /v2 HTTP/1.1\r\nConnection: close\r\nHost: here\r\nX: " + b"a" * (kibibytes << 10) + b"\r\n\r\n"
    assert received_for(served, iter([header]))[0].startswith(b"HTTP/1.1 200")


def test_a_few_trailers_and_chunk_extensions_are_ignored(served: Served) -> None:
    body = b"1;a=b\r\n{\r\n1\r\n}\r\n0\r\nExpect: 100-continue\r\nContent-Encoding: gzip\r\nX: y\r\n\r\n"
    after = b"GET /v2/health/live HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
    received, _ = received_for(served, iter([request_head(served, CHUNKED) + body + after]))
    assert received.startswith(b"HTTP/1.1 400")  # {} is not a request
    assert b"HTTP/1.1 200" in received  # and the request after the trailers is answered
    assert received.count(b"HTTP/1.1") == 2


def test_pipelined_requests_are_answered_in_order_without_being_held_all_at_once(served: Served) -> None:
    memory, count = served.memory(), 60_000
    request = b"GET /v2/health/live HTTP/1.1\r\nHost: here\r\n\r\n"
    with served.raw_connection() as connection:
        connection.setblocking(False)
        unsent, most, deadline = memoryview(request * count), memory, time.monotonic() + 3
        while unsent and time.monotonic() < deadline:  # never reads
            _, writable, _ = select.select([], [connection], [], 0.2)
            unsent = unsent[connection.send(unsent[: 1 << 20]) :] if writable else unsent
            most = max(most, served.memory())
    assert most < memory + MEMORY / 4


def test_the_requests_before_a_refused_one_are_answered(served: Served) -> None:
    good = b"GET /v2/health/live HTTP/1.1\r\nHost: here\r\n\r\n"
    received, _ = received_for(served, iter([good * 3 + b"\x00garbage\r\n\r\n"]))
    assert received.count(b"HTTP/1.1 200") == 3
    assert error_of(received)[0] == 400


@pytest.mark.slow
def test_thousands_of_pipelined_requests_are_all_answered(served: Served) -> None:
    good, count = b"GET /v2/health/live HTTP/1.1\r\nHost: here\r\n\r\n", 5000
    received = 0
    with served.raw_connection() as connection:
        connection.sendall(good * count)
        buffer = b""
        while received < count:
            part = connection.recv(1 << 16)
            assert part
            buffer += part
            received += buffer.count(b"HTTP/1.1 200")
            buffer = buffer[max(0, buffer.rfind(b"HTTP/1.1 200") + 1) :]
    assert received == count


@pytest.mark.slow
def test_blank_lines_do_not_keep_a_connection_open(light: Callable[..., Served]) -> None:
    with light("--header-timeout", 1) as server, server.raw_connection() as connection:
        connection.settimeout(0.2)
        ended = False
        for _ in itertools.repeat(None, 60):
            try:
                connection.sendall(b"\r\n")
                ended = connection.recv(1000) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                ended = True
            if ended:
                break
        assert ended


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /v2 HTTP/1.1\r\nHost: here\r\nContent-Length: x\r\n\r\n",
        b"GET /v2 HTTP/1.1\r\nHost: here\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"GET /v2 HTTP/1.1\r\nHost: here\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /v2 HTTP/1.1\r\nHost: here\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /v2 HTTP/9.9\r\n\r\n",
        b"GET /v2 FTP/1.1\r\n\r\n",
        b"GET http:// HTTP/1.1\r\n\r\n",
        b"GET \xff\xfe HTTP/1.1\r\n\r\n",
        b"BREW /v2 HTTP/1.1\r\n\r\n",
        b"GET /v2 HTTP/1.1\r\nA b: c\r\n\r\n",
        b"GET /v2 HTTP/1.1\r\nA: \x00\r\n\r\n",
        b"GET /v2 HTTP/1.1\nHost here\n\n",
    ],
)
def test_malformed_http_gets_the_json_error_of_the_api(served: Served, request_: bytes) -> None:
    status, message = error_of(received_for(served, iter([request_]))[0])
    assert status == 400
    assert message


@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "TLS/1.0"])
def test_no_other_protocol_is_spoken_after_an_upgrade(served: Served, upgrade: str) -> None:
    head = f"GET /v2/health/live HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\n\r\n".encode()
    received, _ = received_for(served, iter([head + b"GET /v2/x HTTP/1.1\r\nHost: here\r\n\r\n" * 3]))
    assert received.startswith(b"HTTP/1.1 200")
    assert received.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("content", [b"no image", b"", b"\x89PNG\r\n\x1a\n" + bytes(50), b"\xff\xd8\xff" + bytes(50)])
def test_no_reply_shows_an_object_of_python(served: Served, content: bytes) -> None:
    answer = served.infer(*files([content]))
    assert (answer.status, answer.headers["content-type"]) == (400, "application/json")
    assert "0x" not in answer.error
    assert " object at " not in answer.error


def test_a_client_that_closes_early_leaves_nothing(served: Served) -> None:
    for _ in range(50):
        with served.raw_connection() as connection:
            connection.sendall(request_head(served, CHUNKED) + b"1\r\n{\r\n0\r\nX: ")
            connection.shutdown(socket.SHUT_WR)
    assert served.ask("GET", "/v2/health/live").status == 200
