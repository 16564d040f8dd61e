"""Limits that apply to a connection before it has sent anything, or before its TLS handshake has ended."""

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from edge_bench.app.serving.listener import listening_socket, raise_file_limit
from tests.app.serving.server import LONG, Served

Start = Callable[..., Served]


def closed(connection: socket.socket, seconds: float = LONG) -> bool:
    """Return whether the other side closes the connection within this time."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def count_closed(connections: list[socket.socket], expected: int) -> int:
    """Return how many the other side has closed, once there are as many as expected. Fail after a long time."""
    left, deadline = set(connections), time.monotonic() + LONG
    while len(connections) - len(left) < expected:
        assert time.monotonic() < deadline
        readable, _, _ = select.select(left, [], [], 1)
        left -= {each for each in readable if closed(each)}
    return len(connections) - len(left)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, ssl.SSLContext]:
    """A certificate of 127.0.0.1, its key, and the settings of a client that trusts it."""
    folder, made, context = tmp_path_factory.mktemp("tls"), trustme.CA(), ssl.create_default_context()
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    issued = made.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    made.configure_trust(context)
    return certificate, key, context


def test_connections_that_exceed_the_limit_are_closed_and_leave_room_when_they_end() -> None:
    with listening_socket("127.0.0.1", 0) as listener, contextlib.ExitStack() as opened:
        listener.listen()
        listener.setblocking(True)
        listener.most = 2

        def connect() -> socket.socket:
            return opened.enter_context(socket.create_connection(listener.getsockname(), LONG))

        connect(), connect()
        first, address = listener.accept()
        second, _ = listener.accept()
        assert first.getpeername() == address
        third = connect()
        with pytest.raises(ConnectionAbortedError):
            listener.accept()
        assert closed(third)
        first.close()
        first.close()  # counts once
        connect()
        fourth, _ = listener.accept()
        connect()
        with pytest.raises(ConnectionAbortedError):
            listener.accept()
        for each in (second, fourth):
            each.close()


def test_a_server_with_tls_accepts_fewer_connections() -> None:
    assert 0 < raise_file_limit(tls=True) <= 512
    assert raise_file_limit(tls=True) <= raise_file_limit(tls=False)


@pytest.mark.slow
def test_idle_tls_handshakes_are_counted_and_ended(light: Start, authority: tuple[Path, Path, ssl.SSLContext]) -> None:
    certificate, key, context = authority

    def answers(server: Served) -> bool:
        wire = socket.create_connection((server.host, server.port), LONG)
        with context.wrap_socket(wire, server_hostname="127.0.0.1") as secure:
            secure.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return secure.recv(100).startswith(b"HTTP/1.1 200")

    options: list[Any] = ["--certificate", certificate, "--key", key, "--header-timeout", 3]
    with light(*options) as server, contextlib.ExitStack() as opened:
        assert answers(server)
        before = server.memory()
        idle = [opened.enter_context(server.raw_connection()) for _ in range(200)]
        idle[0].sendall(b"\x16\x03\x01")  # the beginning of a handshake
        assert answers(server)
        assert server.memory() < before + (200 << 20)
        assert all(closed(each) for each in idle)  # although they never ended their handshakes
        assert answers(server)
    with light(*options[:-1], 600) as server:
        many = [server.raw_connection() for _ in range(600)]
        assert count_closed(many, 80) < 150  # those that exceed 512; the others may be idle for ten minutes
        for each in many:
            each.close()
        assert answers(server)
        assert server.memory() < before + (300 << 20)
