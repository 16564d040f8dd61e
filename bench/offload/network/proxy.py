"""A proxy process that puts links in front of a server, told what to do on stdin.

``python -m edge_bench.bench.offload.network.proxy``.

Shaping by the kernel (tc, netem) needs a module and rights that containers and many boards do not have; a proxy needs
neither. It answers on stdout with one port of 127.0.0.1 for each link, and ends when its stdin is closed, so it never
outlives the process that started it.
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
from edge_bench.bench.offload.network.link import Link
from edge_bench.bench.offload.network.shaping import Direction, piece_size

__all__ = ["ProxyAnswer", "ProxyRequest"]

#: What a direction may hold back beyond its bandwidth-delay product before it stops reading.
_BACKLOG = 256 << 10
#: Round trips that tell what a link costs: as many as fit into a time, within limits.
PINGS, _FEWEST_PINGS, _PINGING_S = 200, 7, 0.4


class ProxyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which server, and the links to put in front of it."""

    host: str
    port: int
    links: list[Link]
    seed: int = 42


class ProxyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Where each link is, in their order, and what a round trip through the proxy costs beyond its link."""

    ports: list[int]
    overhead_s: float  # of the middle one, before each one's own is taken off its delay


class _End(asyncio.Protocol):
    """One end of a proxied connection: what it receives is delivered at the other end when the link says so."""

    def __init__(self, direction: Direction, rate_bps: float | None, hold: int, ahead_s: float) -> None:
        self._direction, self._piece, self._hold, self._ahead = direction, piece_size(rate_bps), hold, ahead_s
        self._loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None
        self._early: list[bytes] = []
        self._backlog = 0
        self._last = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what TCP gives
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.transport = transport
        for data in self._early:
            transport.write(data)
        self._early = []

    def data_received(self, data: bytes) -> None:
        now, view = self._loop.time(), memoryview(data)
        for start in range(0, len(data), self._piece):
            piece = bytes(view[start : start + self._piece])
            self._last = self._direction.deliver_at(now, len(piece)) - self._ahead
            self._backlog += len(piece)
            self._loop.call_at(self._last, self._deliver, piece)
        if self._backlog > self._hold and self.transport:
            self.transport.pause_reading()

    def _deliver(self, piece: bytes) -> None:
        self._backlog -= len(piece)
        if self.other:
            self.other.write(piece)
        if self._backlog <= self._hold // 2 and self.transport and not self.transport.is_closing():
            self.transport.resume_reading()

    def write(self, piece: bytes) -> None:
        """Sends to this end, at once; kept until it is connected."""
        if self.transport is None:
            self._early.append(piece)
        elif not self.transport.is_closing():
            self.transport.write(piece)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        # the end of a stream comes after what was sent before it
        self._loop.call_at(max(self._last, self._loop.time()) + 1e-6, self._close_other)

    def _close_other(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.close()


def _ends(link: Link, seed: int, ahead_s: float) -> tuple[_End, _End]:
    """The client's end and the server's end of a new connection."""

    def end(rate: float | None, which: int) -> _End:
        hold = _BACKLOG + int((rate or 1e9) / 8 * (link.rtt_s + 0.1))
        return _End(Direction(link, rate, seed + which), rate, hold, ahead_s)

    near, far = end(link.up_bps, 0), end(link.down_bps, 1)
    near.other, far.other = far, near
    return near, far


class _Listener:
    """Accepts for one link, and connects on."""

    def __init__(self, link: Link, host: str, port: int, seed: int, ahead_s: float) -> None:
        self._link, self._host, self._port, self._seed, self._ahead = link, host, port, seed, ahead_s
        self._connecting: set[asyncio.Task[None]] = set()

    def accept(self) -> asyncio.Protocol:
        self._seed += 2
        near, far = _ends(self._link, self._seed, self._ahead)
        task = asyncio.get_running_loop().create_task(self._connect(near, far))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        return near

    async def _connect(self, near: _End, far: _End) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: far, self._host, self._port)
        except OSError:
            if near.transport:
                near.transport.abort()  # as a server that is down would: the connection is reset


async def _listen(link: Link, host: str, port: int, seed: int, ahead_s: float = 0.0) -> tuple[asyncio.Server, int]:
    listener = _Listener(link, host, port, seed, ahead_s)
    server = await asyncio.get_running_loop().create_server(listener.accept, "127.0.0.1", 0)
    return server, int(server.sockets[0].getsockname()[1])


async def _overheads(links: Sequence[Link]) -> list[float]:
    """What a round trip through each link costs beyond it, in seconds: measured against an echo in another process.

    Another process, since waking it is part of what a real server costs; and each link by itself, since a processor
    that has slept for long wakes up late: by tenths of a millisecond after tens of them.
    """
    with Pinger() as pinger:
        direct, costs = await asyncio.to_thread(pinger.round_trip, pinger.port, PINGS), []
        for link in links:
            bare = Link(name=link.name, rtt_s=link.rtt_s)
            proxied, through = await _listen(bare, "127.0.0.1", pinger.port, 0)
            count = int(min(PINGS, max(_FEWEST_PINGS, _PINGING_S / max(link.rtt_s, 1e-6))))
            delayed = await asyncio.to_thread(pinger.round_trip, through, count)
            costs.append(max(0.0, delayed - direct - link.rtt_s))
            proxied.close()
    return costs


async def _serve(request: ProxyRequest) -> None:
    costs = await _overheads(request.links)
    servers = [
        await _listen(link, request.host, request.port, request.seed + 1_000 * number, min(cost, link.rtt_s) / 2)
        for number, (link, cost) in enumerate(zip(request.links, costs, strict=True))
    ]
    answer = ProxyAnswer(ports=[port for _, port in servers], overhead_s=statistics.median(costs))
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()  # nothing more is ever written to it: it was closed


def main() -> int:
    """Reads one request from stdin, serves until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    with contextlib.suppress(OSError):
        Path("/proc/self/timerslack_ns").write_text("1")  # Linux rounds timers by 50 µs otherwise
    request = msgspec.json.decode(sys.stdin.buffer.readline(), type=ProxyRequest)
    # select() takes microseconds where epoll takes milliseconds, and the proxy has few connections
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    with contextlib.closing(loop):
        loop.run_until_complete(_serve(request))
        sys.stdout.flush()
        os._exit(0)  # connections in flight have nobody left to serve


if __name__ == "__main__":
    sys.exit(main())
