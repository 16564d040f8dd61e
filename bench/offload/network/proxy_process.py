"""The parent's side of the proxy process: simulated links in front of a server within a ``with`` block."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.io.python_process import module_command, module_environment
from edge_bench.bench.offload.network.link_profiles import Link
from edge_bench.bench.offload.network.proxy import ProxyAnswer, ProxyRequest

__all__ = ["Proxied", "proxied"]


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
    with subprocess.Popen(
        module_command("edge_bench.bench.offload.network.proxy"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=module_environment(),
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
