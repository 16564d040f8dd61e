"""Throughput, latency, rejected requests and memory of the inference server under load from wrk over loopback.

    python -m studies.serving.serve_load BUNDLE [--variant dynamic] [--seconds 10] [--requests 100000]

wrk keeps 1, 8 and 64 connections busy with requests of one test image in binary form. It runs on the same machine as
the server, so the results include its share of the CPU. Then 64 connections exceed a queue of 16: every response
must be 200 or 503. Finally, memory is read before, about ten times during, and after `--requests` requests.
Takes about two minutes for `dynamic` and three for `keras`. Needs wrk (Debian: `apt-get install wrk`). Figures:
docs/serve.md.
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

#: Lua script for wrk. Prints "RESULT" and a JSON object: seconds, latencies in ms, socket errors ("broken") and counts
#: of status codes. The count of status code 0 is that of 503 responses without Retry-After.
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
    """`edge-bench serve` on a free port, terminated on exit of the context."""

    def __init__(self, bundle: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge_bench", "serve", str(bundle), "--port", "0", *options],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if match := re.search(r"(\S+) is served on http://(.+):(\d+)$", line):
                self.name, self.host, self.port = match[1], match[2], int(match[3])
                return
        raise SystemExit("the server did not start")

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def metrics(self) -> dict[str, float]:
        """Return the samples of /metrics, and the CPU seconds of the server and its worker."""
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
        } | {name: sum(process.cpu_times()[:2]) for name, process in (("server_cpu", server), ("worker_cpu", worker))}

    def load(self, connections: int, seconds: int, folder: Path) -> dict[str, Any]:
        """Wait until the queue is empty, then run wrk and return the result that SCRIPT prints."""
        while self.metrics()["edge_bench_pending_requests"]:
            pass
        completed = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(folder / "post.lua"),
             f"http://{self.host}:{self.port}/v2/models/{self.name}/infer"],
            capture_output=True, text=True, check=True,
            env=os.environ | {"BODY": str(folder / "body"), "LENGTH": (folder / "length").read_text()},
        )  # fmt: skip
        (line,) = (line for line in completed.stdout.splitlines() if line.startswith("RESULT"))
        result: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
        return result


def write_request(bundle: Bundle, folder: Path) -> None:
    """Write wrk's script and a request with one image; image, labels and scores are sent in binary form."""
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
    """Return one row of the table. Errors are socket errors, other status codes and 503 without Retry-After."""
    codes = result["codes"]
    responses = sum(count for status, count in codes.items() if status != "0")
    rejected = codes.get("503", 0)
    errors = responses - rejected - codes.get("200", 0) + result["broken"] + codes.get("0", 0)
    return (
        f"| {connections} | {responses / result['seconds']:,.0f} | {result['p50']:.2f} | {result['p99']:.2f} | "
        f"{result['max']:.1f} | {rejected:,} | {errors} |"
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
            before = server.metrics()
            for connections in (1, 8, 64):
                print(row(connections, server.load(connections, options.seconds, folder)), flush=True)
            after = server.metrics()
            count = after["edge_bench_request_seconds_count"] - before["edge_bench_request_seconds_count"]
            for part in ("queue", "decode", "compute", "request"):
                spent = after[f"edge_bench_{part}_seconds_sum"] - before[f"edge_bench_{part}_seconds_sum"]
                print(f"{part}: {spent / count * 1e6:,.0f} µs per request on average")
            for process in ("server", "worker"):
                spent = after[f"{process}_cpu"] - before[f"{process}_cpu"]
                print(f"CPU time of the {process}: {spent / count * 1e6:,.0f} µs per request")
            print(f"load average: {os.getloadavg()[0]:.1f}")
        with Server(options.bundle, "--variant", options.variant, "--queue", "16") as server:
            print("with --queue 16:")
            print(row(64, server.load(64, options.seconds, folder)), flush=True)
        with Server(options.bundle, "--variant", options.variant) as server:
            memory_table(server, options.requests, folder)


def memory_table(server: Server, requests: int, folder: Path) -> None:
    """Print the memory of server and worker in MiB, about ten times during ``requests`` requests."""
    print("| requests | server MiB | worker MiB |\n|---|---|---|")
    next_row = 0.0
    while True:
        metrics = server.metrics()
        answered = metrics.get("edge_bench_request_seconds_count", 0)
        if answered >= next_row:
            server_mib, worker_mib = (
                metrics[name] / (1 << 20)
                for name in ("process_resident_memory_bytes", "edge_bench_worker_resident_bytes")
            )
            print(f"| {answered:,.0f} | {server_mib:.1f} | {worker_mib:.1f} |", flush=True)
            next_row = answered + requests / 10
        if answered >= requests:
            return
        server.load(8, 2, folder)


if __name__ == "__main__":
    main()
