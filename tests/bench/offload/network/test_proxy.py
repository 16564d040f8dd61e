"""The proxy process: it forwards all bytes in both directions, and ends with its user."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import psutil
import pytest

from edge_bench.bench.offload.network import echo as pinging
from edge_bench.bench.offload.network.link_profiles import link_from
from edge_bench.bench.offload.network.proxy_process import proxied

pytestmark = pytest.mark.slow

LINK = link_from("rtt=2ms,rate=50Mbit")


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back all bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=pinging.echo, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        chunk = connection.recv(65_536)
        if not chunk:
            break
        parts += chunk
    return bytes(parts)


def test_every_byte_arrives_in_order_in_both_directions(echo: int) -> None:
    message = bytes(range(256)) * 8_000  # 2 MB, more than all buffers in between
    with (
        proxied([LINK], "127.0.0.1", echo) as links,
        socket.create_connection(("127.0.0.1", links.ports[LINK.name]), timeout=30) as connection,
    ):
        sender = threading.Thread(target=connection.sendall, args=(message,))
        sender.start()
        assert _exactly(connection, len(message)) == message
        sender.join()


def test_links_have_their_own_ports_and_the_overhead_is_measured(echo: int) -> None:
    other = link_from("rtt=5ms")
    with proxied([LINK, other], "127.0.0.1", echo) as links:
        assert len(set(links.ports.values())) == 2
        assert 0 <= links.overhead_s < 0.1
        for port in links.ports.values():
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                connection.sendall(b"hello")
                assert _exactly(connection, 5) == b"hello"


def test_a_server_that_is_down_ends_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()[1]
    with (
        proxied([LINK], "127.0.0.1", nobody) as links,
        socket.create_connection(("127.0.0.1", links.ports[LINK.name]), timeout=30) as connection,
        contextlib.suppress(ConnectionResetError),
    ):
        assert connection.recv(1) == b""


def test_the_end_of_one_side_reaches_the_other(echo: int) -> None:
    with proxied([LINK], "127.0.0.1", echo) as links:
        connection = socket.create_connection(("127.0.0.1", links.ports[LINK.name]), timeout=30)
        connection.sendall(b"last words")
        assert _exactly(connection, 10) == b"last words"
        connection.close()
        with socket.create_connection(("127.0.0.1", links.ports[LINK.name]), timeout=30) as again:
            again.sendall(b"x")
            assert _exactly(again, 1) == b"x"


def test_no_process_is_left_behind(echo: int) -> None:
    with proxied([LINK], "127.0.0.1", echo):
        (proxy,) = [
            child
            for child in psutil.Process().children()
            if "edge_bench.bench.offload.network.proxy" in " ".join(child.cmdline())
        ]
    assert not proxy.is_running()


def test_without_links_there_is_no_process(echo: int) -> None:
    before = len(psutil.Process().children())
    with proxied([], "127.0.0.1", echo) as links:
        assert links.ports == {}
        assert len(psutil.Process().children()) == before
