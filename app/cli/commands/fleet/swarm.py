"""Hidden commands that the services of a Swarm job run: the collector, and the task on each node."""

import sys
from pathlib import Path

from edge_bench.app.cli.options.fleet import Bundle, Collector, Node, Port, ReconnectTimeout, RunOptions, TokenFile
from edge_bench.app.cli.options.shared import DEFAULT_RESULTS, ResultsFolder
from edge_bench.bench.errors import BadInput, EdgeBenchError

__all__ = ["collect", "task"]

#: File in which Swarm puts the job's token, and the port of the collector.
TOKEN, PORT = Path("/run/secrets/token"), 8080


def collect(
    bundle: Bundle,
    results: ResultsFolder = DEFAULT_RESULTS,
    token_file: TokenFile = TOKEN,
    port: Port = PORT,
) -> None:
    """In a swarm, send the bundle to nodes and receive their Runs until stopped."""
    from edge_bench.app.fleet.swarm.collector import Collector
    from edge_bench.bench.records.bundle import Bundle

    Bundle.open(bundle)
    with Collector(("", port), bundle, results, _token(token_file)) as server:
        print(f"collecting on port {server.server_address[1]}", file=sys.stderr, flush=True)
        server.serve_forever()


def task(
    options: RunOptions = None,
    collector: Collector = f"collector:{PORT}",
    node: Node = "node",
    token_file: TokenFile = TOKEN,
    reconnect_timeout: ReconnectTimeout = 600,
) -> None:
    """In a swarm, fetch the bundle, measure it, and send the Run until it is acknowledged."""
    from edge_bench.app.cli import console
    from edge_bench.app.fleet.swarm.task import CollectorClient
    from edge_bench.bench.io.addresses import host_and_port

    try:
        host, port = host_and_port(collector)
    except ValueError as cause:
        raise BadInput(f"--collector {collector[:200]!r} has {cause}", "use host:port") from None
    client = CollectorClient(host, port, node, _token(token_file), reconnect_timeout)
    try:
        for path in client.measure(Path("/artifacts"), Path("/results"), options or []):
            console.print_path(path)
    except EdgeBenchError as cause:
        client.report_status(f"failed: {cause.problem}")
        raise


def _token(file: Path) -> str:
    from edge_bench.bench.io.files import read_bounded, why_unreadable

    try:
        return read_bounded(file, 1 << 16).decode().strip()
    except (OSError, ValueError) as cause:
        raise BadInput(
            f"--token-file {file}: {why_unreadable(cause)}", "use a file that contains only the token"
        ) from None
