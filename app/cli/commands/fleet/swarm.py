"""The two halves of a swarm's job: hidden commands that its services run."""

import sys
from pathlib import Path

from edge_bench.app.cli.options.fleet import Bundle, Collector, Node, Port, ReconnectTimeout, RunOptions, TokenFile
from edge_bench.app.cli.options.shared import DEFAULT_RESULTS, Debug, Quiet, ResultsFolder
from edge_bench.bench.errors import EdgeBenchError

__all__ = ["collect", "task"]

#: Where a swarm puts the job's token, and where its collector listens.
TOKEN, PORT = Path("/run/secrets/token"), 8080


def collect(
    bundle: Bundle,
    results: ResultsFolder = DEFAULT_RESULTS,
    token_file: TokenFile = TOKEN,
    port: Port = PORT,
    quiet: Quiet = False,
    debug: Debug = False,
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
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """In a swarm: fetch the bundle, run, hand the Run over until it is acknowledged."""
    from edge_bench.app.fleet.swarm.task import CollectorClient

    host, _, port = collector.rpartition(":")
    client = CollectorClient(host, int(port), node, token_file.read_text().strip(), reconnect_timeout)
    try:
        for path in client.measure(Path("/artifacts"), Path("/results"), options or []):
            print(path)
    except EdgeBenchError as cause:
        client.report_status(f"failed: {cause.problem}")
        raise
