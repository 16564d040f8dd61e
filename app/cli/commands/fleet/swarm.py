"""Hidden commands that the services of a Swarm job run: the collector, and the task on each node."""

import sys
from pathlib import Path

from edge_bench.app.cli.options.fleet import Bundle, Collector, Node, Port, ReconnectTimeout, RunOptions, TokenFile
from edge_bench.app.cli.options.shared import DEFAULT_RESULTS, ResultsFolder
from edge_bench.bench.errors import EdgeBenchError

__all__ = ["collect", "task"]

#: File in which Swarm puts the job's token, and the port of the collector.
TOKEN, PORT = Path("/run/secrets/token"), 8080


def collect(
    bundle: Bundle,
    results: ResultsFolder = DEFAULT_RESULTS,
    token_file: TokenFile = TOKEN,
    port: Port = PORT,
) -> None:
    """In a swarm: hand the bundle out and take the Runs in, until stopped."""
    from edge_bench.app.fleet.swarm.collector import Collector
    from edge_bench.bench.records.bundle import Bundle

    Bundle.open(bundle)
    with Collector(("", port), bundle, results, token_file.read_text().strip()) as server:
        print(f"collecting on port {server.server_address[1]}", file=sys.stderr, flush=True)
        server.serve_forever()


def task(
    options: RunOptions = None,
    collector: Collector = f"collector:{PORT}",
    node: Node = "node",
    token_file: TokenFile = TOKEN,
    reconnect_timeout: ReconnectTimeout = 600,
) -> None:
    """In a swarm: fetch the bundle, run, hand the Run over until it is acknowledged."""
    from edge_bench.app.cli import console
    from edge_bench.app.fleet.swarm.task import CollectorClient

    host, _, port = collector.rpartition(":")
    client = CollectorClient(host, int(port), node, token_file.read_text().strip(), reconnect_timeout)
    try:
        for path in client.measure(Path("/artifacts"), Path("/results"), options or []):
            console.print_path(path)
    except EdgeBenchError as cause:
        client.report_status(f"failed: {cause.problem}")
        raise
