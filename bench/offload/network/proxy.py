"""Proxy process that simulates links in front of a server: ``python -m edge_bench.bench.offload.network.proxy``.

Traffic shaping in the kernel (tc, netem) needs a kernel module and privileges that containers and many boards do not
have. A proxy needs neither. It reads one request from stdin and answers on stdout with one port of 127.0.0.1 per link.
It exits when stdin is closed, so it never outlives its parent.
"""

import asyncio
import contextlib
import os
import selectors
import signal
import socket
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_bench.bench.offload.network.echo import Pinger
from edge_bench.bench.offload.network.link_profiles import Link
from edge_bench.bench.offload.network.shaping import Direction, piece_size

__all__ = ["ProxyAnswer", "ProxyRequest"]

#: Bytes that a direction may buffer beyond its bandwidth-delay product before it stops reading.
_EXTRA_BUFFER = 256 << 10
#: Round trips to measure a link's overhead: as many as fit into _PING_BUDGET_S seconds, from _MIN_PINGS to _MAX_PINGS.
_MAX_PINGS, _MIN_PINGS, _PING_BUDGET_S = 200, 7, 0.4


class ProxyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The server, and the links to simulate in front of it."""

    host: str
    port: int
    links: list[Link]
    seed: int = 42


class ProxyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The local port of each link, in the order of the request, and the overhead of the proxy."""

    ports: list[int]
    overhead_s: float  # per round trip, median over links, before compensation by shorter delays


class _Endpoint(asyncio.Protocol):
    """One endpoint of a proxied connection. It delivers what it receives at its peer at the link's delivery time.

    Deliveries are ``overhead_s`` seconds early, to compensate for the proxy's own delay.
    """

    def __init__(self, direction: Direction, rate_bps: float | None, buffer_limit: int, overhead_s: float) -> None:
        self._direction, self._piece_size = direction, piece_size(rate_bps)
        self._buffer_limit, self._overhead_s = buffer_limit, overhead_s
        self._loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.peer: _Endpoint | None = None
        self._unsent: list[bytes] = []
        self._buffered = 0
        self._last_delivery = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what TCP gives
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.transport = transport
        for piece in self._unsent:
            transport.write(piece)
        self._unsent = []

    def data_received(self, data: bytes) -> None:
        now, view = self._loop.time(), memoryview(data)
        for start in range(0, len(data), self._piece_size):
            piece = bytes(view[start : start + self._piece_size])
            self._last_delivery = self._direction.deliver_at(now, len(piece)) - self._overhead_s
            self._buffered += len(piece)
            self._loop.call_at(self._last_delivery, self._deliver, piece)
        if self._buffered > self._buffer_limit and self.transport:
            self.transport.pause_reading()

    def _deliver(self, piece: bytes) -> None:
        self._buffered -= len(piece)
        if self.peer:
            self.peer.write(piece)
        if self._buffered <= self._buffer_limit // 2 and self.transport and not self.transport.is_closing():
            self.transport.resume_reading()

    def write(self, piece: bytes) -> None:
        """Send to this endpoint immediately, or as soon as it is connected."""
        if self.transport is None:
            self._unsent.append(piece)
        elif not self.transport.is_closing():
            self.transport.write(piece)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        # close the peer after everything received earlier was delivered
        self._loop.call_at(max(self._last_delivery, self._loop.time()) + 1e-6, self._close_peer)

    def _close_peer(self) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.close()


def _connected_endpoints(link: Link, seed: int, overhead_s: float) -> tuple[_Endpoint, _Endpoint]:
    """Return the client's and the server's endpoint of a new connection."""

    def endpoint(rate: float | None, seed: int) -> _Endpoint:
        buffer_limit = _EXTRA_BUFFER + int((rate or 1e9) / 8 * (link.rtt_s + 0.1))
        return _Endpoint(Direction(link, rate, seed), rate, buffer_limit, overhead_s)

    client, server = endpoint(link.up_bps, seed), endpoint(link.down_bps, seed + 1)
    client.peer, server.peer = server, client
    return client, server


class _Listener:
    """Accepts connections for one link, and connects each to the server."""

    def __init__(self, link: Link, host: str, port: int, seed: int, overhead_s: float) -> None:
        self._link, self._host, self._port, self._seed, self._overhead_s = link, host, port, seed, overhead_s
        self._connecting: set[asyncio.Task[None]] = set()

    def accept(self) -> asyncio.Protocol:
        self._seed += 2
        client, server = _connected_endpoints(self._link, self._seed, self._overhead_s)
        task = asyncio.get_running_loop().create_task(self._connect(client, server))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        return client

    async def _connect(self, client: _Endpoint, server: _Endpoint) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: server, self._host, self._port)
        except OSError:
            if client.transport:
                client.transport.abort()  # reset the connection, like a server that is down


async def _listen(link: Link, host: str, port: int, seed: int, overhead_s: float = 0.0) -> tuple[asyncio.Server, int]:
    """Start listening for one link on a free port; return the listener and its port."""
    listener = _Listener(link, host, port, seed, overhead_s)
    server = await asyncio.get_running_loop().create_server(listener.accept, "127.0.0.1", 0)
    return server, int(server.sockets[0].getsockname()[1])


async def _measure_overheads(links: Sequence[Link]) -> list[float]:
    """Return each link's overhead beyond its delay, in seconds per round trip to an echo server in another process.

    It is another process because waking it is part of the cost of a real server. Each link is measured separately
    because a processor wakes up late after a long sleep: by tenths of a millisecond after tens of milliseconds.
    It is the least overhead, not the median: on a busy machine, a link that were compensated for the delays of other
    programs would at times be faster than stated.
    """
    with Pinger() as pinger:
        direct_s, overheads = await asyncio.to_thread(pinger.round_trip, pinger.port, _MAX_PINGS), []
        for link in links:
            delay_only = Link(name=link.name, rtt_s=link.rtt_s)
            server, port = await _listen(delay_only, "127.0.0.1", pinger.port, 0)
            count = int(min(_MAX_PINGS, max(_MIN_PINGS, _PING_BUDGET_S / max(link.rtt_s, 1e-6))))
            proxied_s = await asyncio.to_thread(pinger.round_trip, port, count)
            overheads.append(max(0.0, proxied_s - direct_s - link.rtt_s))
            server.close()
    return overheads


async def _serve(request: ProxyRequest) -> None:
    overheads = await _measure_overheads(request.links)
    servers = [
        await _listen(link, request.host, request.port, request.seed + 1_000 * number, min(overhead, link.rtt_s) / 2)
        for number, (link, overhead) in enumerate(zip(request.links, overheads, strict=True))
    ]
    answer = ProxyAnswer(ports=[port for _, port in servers], overhead_s=statistics.median(overheads))
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()
    closed = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), closed.set)
    await closed.wait()  # nothing else is written to stdin, so it becomes readable only when it is closed


def main() -> int:
    """Read one request from stdin, and simulate its links until stdin is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    with contextlib.suppress(OSError):
        Path("/proc/self/timerslack_ns").write_text("1")  # otherwise Linux may delay timers by 50 µs
    request = msgspec.json.decode(sys.stdin.buffer.readline(), type=ProxyRequest)
    # the resolution of select() is microseconds, that of epoll milliseconds; the proxy has few connections
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    with contextlib.closing(loop):
        loop.run_until_complete(_serve(request))
        sys.stdout.flush()
        os._exit(0)  # without waiting for open connections, as the parent has ended


if __name__ == "__main__":
    sys.exit(main())
