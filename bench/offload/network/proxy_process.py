"""The parent's side of the proxy process: simulated links in front of a server within a ``with`` block."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

import edge_bench
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.offload.network.link_profiles import Link
from edge_bench.bench.offload.network.proxy import ProxyAnswer, ProxyRequest

__all__ = ["Proxied", "proxied"]

_ROOT = Path(edge_bench.__file__).parent.parent


class Proxied(msgspec.Struct, frozen=True, kw_only=True):
    """The simulated links: ``ports`` of 127.0.0.1 by name, and the proxy's overhead per round trip in seconds."""

    ports: dict[str, int] = {}
    overhead_s: float = 0.0


@contextmanager
def proxied(links: Sequence[Link], host: str, port: int, seed: int = 42) -> Iterator[Proxied]:
    """Simulate each link in front of ``host:port``; without links start no process. Raise EdgeBenchError on failure."""
    if not links:
        yield Proxied()
        return
    path = os.pathsep.join(part for part in (str(_ROOT), os.environ.get("PYTHONPATH")) if part)
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "edge_bench.bench.offload.network.proxy"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
    ) as process:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            request = ProxyRequest(host=host, port=port, links=list(links), seed=seed)
            process.stdin.write(msgspec.json.encode(request) + b"\n")
            process.stdin.flush()
            try:
                answer = msgspec.json.decode(process.stdout.readline(), type=ProxyAnswer)
            except msgspec.DecodeError:
                raise EdgeBenchError("the process that simulates links did not start", "see above; report it") from None
            ports = {link.name: number for link, number in zip(links, answer.ports, strict=True)}
            yield Proxied(ports=ports, overhead_s=answer.overhead_s)
        finally:
            process.kill()
