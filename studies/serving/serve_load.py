"""The server under load on loopback, by wrk: requests a second, latencies, refusals, and memory over many requests.

    python -m studies.serving.serve_load BUNDLE [--variant dynamic] [--seconds 10] [--requests 100000]

wrk (Debian: `apt-get install wrk`) keeps 1, 8 and 64 connections busy with one image of the test set a request, in
binary, and runs on the same machine as the server: its share of the processors is in the figures. Then more connections
than the queue has room for: every answer has to be 200 or 503. Then `--requests` requests in a row, with the memory of
the server and of its worker read before, ten times within, and after.
"""

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from prometheus_client.parser import text_string_to_metric_families

from edge_bench.bench.records.bundle import Bundle

SCRIPT = """
local file = io.open(os.getenv("BODY"), "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers["Inference-Header-Content-Length"] = os.getenv("LENGTH")
file:close()
local threads, codes = {}, {}
function setup(thread) table.insert(threads, thread) end
function init() counts = {} end
function response(status, headers)
  counts[status] = (counts[status] or 0) + 1
  if status == 503 and not headers["retry-after"] then counts[0] = (counts[0] or 0) + 1 end
end
function done(summary, latency)
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("counts")) do codes[status] = (codes[status] or 0) + count end
  end
  local parts = {}
  for status, count in pairs(codes) do table.insert(parts, string.format('"%d": %d', status, count)) end
  local errors = summary.errors
  io.write(string.format('RESULT {"seconds": %f, "p50": %f, "p99": %f, "max": %f, "broken": %d, "codes": {%s}}\\n',
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout, table.concat(parts, ", ")))
end
"""


class Server:
    """`edge-bench serve` on any free port."""

    def __init__(self, bundle: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge_bench", "serve", str(bundle), "--port", "0", *options],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(r"(\S+) is served on http://(.+):(\d+)$", line):
                self.name, self.host, self.port = found[1], found[2], int(found[3])
                return
        raise SystemExit("the server did not start")

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def figures(self) -> dict[str, float]:
        """What /metrics says, and processor seconds of the server and its worker."""
        connection = http.client.HTTPConnection(self.host, self.port)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        server = psutil.Process(self.process.pid)
        (worker,) = server.children()
        return {
            sample.name: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if "le" not in sample.labels
        } | {name: sum(which.cpu_times()[:2]) for name, which in (("server_cpu", server), ("worker_cpu", worker))}

    def load(self, connections: int, seconds: int, folder: Path) -> dict[str, Any]:
        """What wrk says. What the load before has left in the queue is waited for."""
        while self.figures()["edge_bench_pending_requests"]:
            pass
        done = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(folder / "post.lua"),
             f"http://{self.host}:{self.port}/v2/models/{self.name}/infer"],
            capture_output=True, text=True, check=True,
            env=os.environ | {"BODY": str(folder / "body"), "LENGTH": (folder / "length").read_text()},
        )  # fmt: skip
        (line,) = (line for line in done.stdout.splitlines() if line.startswith("RESULT"))
        result: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
        return result


def write_request(bundle: Bundle, folder: Path) -> None:
    """One image, in binary; labels and scores in binary, too."""
    images, _ = bundle.test_set()
    data = np.ascontiguousarray(images[:1]).tobytes()
    tensor = {
        "name": "images", "datatype": "UINT8", "shape": [1, *images.shape[1:]],
        "parameters": {"binary_data_size": len(data)},
    }  # fmt: skip
    header = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    (folder / "body").write_bytes(header + data)
    (folder / "length").write_text(str(len(header)))
    (folder / "post.lua").write_text(SCRIPT)


def row(connections: int, result: dict[str, Any]) -> str:
    answered = sum(count for status, count in result["codes"].items() if status != "0")
    refused, without = result["codes"].get("503", 0), result["codes"].get("0", 0)
    other = answered - refused - result["codes"].get("200", 0) + result["broken"] + without
    return (
        f"| {connections} | {answered / result['seconds']:,.0f} | {result['p50']:.2f} | {result['p99']:.2f} | "
        f"{result['max']:.1f} | {refused:,} | {other} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--variant", default="dynamic")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--requests", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_request(Bundle.open(options.bundle), folder)
        print("| connections | requests/s | p50 ms | p99 ms | max ms | 503 | errors |\n|---|---|---|---|---|---|---|")
        with Server(options.bundle, "--variant", options.variant) as server:
            server.load(8, 2, folder)
            before = server.figures()
            for connections in (1, 8, 64):
                print(row(connections, server.load(connections, options.seconds, folder)), flush=True)
            after = server.figures()
            count = after["edge_bench_request_seconds_count"] - before["edge_bench_request_seconds_count"]
            for part in ("queue", "decode", "compute", "request"):
                spent = after[f"edge_bench_{part}_seconds_sum"] - before[f"edge_bench_{part}_seconds_sum"]
                print(f"{part}: {spent / count * 1e6:,.0f} µs a request on average")
            for process in ("server", "worker"):
                spent = after[f"{process}_cpu"] - before[f"{process}_cpu"]
                print(f"processor time of the {process}: {spent / count * 1e6:,.0f} µs a request")
            print(f"load average: {os.getloadavg()[0]:.1f}")
        with Server(options.bundle, "--variant", options.variant, "--queue", "16") as server:
            print("with --queue 16:")
            print(row(64, server.load(64, options.seconds, folder)), flush=True)
        with Server(options.bundle, "--variant", options.variant) as server:
            remember(server, options.requests, folder)


def remember(server: Server, requests: int, folder: Path) -> None:
    """Memory over so many requests."""
    print("| requests | server MiB | worker MiB |\n|---|---|---|")
    made, next_one = 0.0, 0.0
    while True:
        figures = server.figures()
        made = figures.get("edge_bench_request_seconds_count", 0)
        if made >= next_one:
            server_bytes, worker_bytes = (
                figures[name] / (1 << 20)
                for name in ("process_resident_memory_bytes", "edge_bench_worker_resident_bytes")
            )
            print(f"| {made:,.0f} | {server_bytes:.1f} | {worker_bytes:.1f} |", flush=True)
            next_one = made + requests / 10
        if made >= requests:
            return
        server.load(8, 2, folder)


if __name__ == "__main__":
    main()
