"""Is the break-even that the model predicts the one that is measured? For several links, on this machine.

    python -m studies.offload.break_even BUNDLE --local dynamic/tflite-runtime --server dynamic/litert \
        --setting raw@50Mbit --setting jpeg@5Mbit

The server runs natively beside the edge. From the way without a link the round trip is predicted at which sending takes
as long as staying, at each setting's bandwidth. Links with round trips around that one are measured in the same
interleaved run, and the line through what sending took beyond staying says where it is 0.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from edge_bench.app.cli.console import progress
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.offload.analysis.assessment import assess
from edge_bench.bench.offload.analysis.latency_model import break_even_rtt, parts_of
from edge_bench.bench.offload.measure.runner import measure_offload
from edge_bench.bench.offload.measure.session import plan_offload
from edge_bench.bench.offload.network.link import Link, link_from
from edge_bench.bench.offload.records.offload import Offload, OffloadSettings

Measure = Callable[[list[str], list[Link]], Offload]
AROUND = (0.7, 0.9, 1.1, 1.3)


@contextmanager
def served(bundle: Path, configuration: str) -> Iterator[str]:
    """`edge-bench serve` on a free port of this machine, as long as the ``with`` lasts."""
    variant, runtime = configuration.split("/")
    command = [sys.executable, "-m", "edge_bench", "serve", str(bundle), "--port", "0", "--variant", variant]
    with subprocess.Popen([*command, "--runtime", runtime], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            for line in process.stderr:
                if " is served on " in line:
                    yield line.split()[-1]
                    return
            raise SystemExit("the server did not start")
        finally:
            process.terminate()
            process.stderr.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--local", default="dynamic/tflite-runtime")
    parser.add_argument("--server", default="dynamic/litert")
    parser.add_argument("--setting", action="append", required=True, help="PAYLOAD@RATE")
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--processes", type=int, default=5)
    asked = parser.parse_args()
    settings = OffloadSettings(
        trials=asked.trials, processes=asked.processes, limit=asked.limit, accuracy_images=asked.limit
    )
    pairs = [tuple(setting.split("@")) for setting in asked.setting]
    with served(asked.bundle, asked.server) as url:

        def measured(payloads: list[str], links: list[Link]) -> Offload:
            variant, runtime = asked.local.split("/")
            plan = plan_offload(
                asked.bundle, url, settings, selection=Selection(variants=[variant], runtimes=[runtime]), model=None,
                token="", payloads=payloads, links=links, in_flight=[1], power=None,
            )  # fmt: skip
            return measure_offload(plan, progress())

        rows = []
        for payload in dict.fromkeys(payload for payload, _ in pairs):
            rates = [rate for name, rate in pairs if name == payload]
            rows += list(_payload(payload, rates, measured))
    print(f"here {asked.local}, there {asked.server}, {asked.limit} images, {asked.trials} trials")
    print("| payload | bandwidth | predicted break-even round trip, ms | measured, ms | error |\n|---|---|---|---|---|")
    for row in rows:
        print(f"| {row[0]} | {row[1]} | {row[2]:.2f} | {row[3]:.2f} | {100 * (row[2] / row[3] - 1):+.1f} % |")


def _payload(payload: str, rates: list[str], measured: Measure) -> Iterator[tuple[str, str, float, float]]:
    """Payload, rate, predicted and measured break-even round trip in milliseconds.

    A first, short look says where to measure; prediction and measurement are both of the run after it, from different
    ways of that run: the former from the one without a link, the latter from those with one.
    """
    bare = {rate: link_from(f"rtt=0ms,rate={rate}") for rate in rates}
    rough = _predicted(measured([payload], []), bare)
    impossible = [rate for rate, rtt in rough.items() if rtt <= 0]
    if impossible:
        raise EdgeBenchError(f"sending {payload} at {', '.join(impossible)} is not worth it over any link")
    around = {
        (rate, share): msgspec.structs.replace(link, name=f"{rate} {share}", rtt_s=rough[rate] * share)
        for rate, link in bare.items()
        for share in AROUND
    }
    offload = measured([payload], list(around.values()))
    predicted, assessment = _predicted(offload, bare), assess(offload)
    rows = {row.link: row for row in assessment.rows}
    assert assessment.local
    here = assessment.local.value
    for rate in rates:
        links = [around[rate, share] for share in AROUND]
        there = [(link.rtt_s, row.measured.value) for link in links if (row := rows[link.name]).measured]
        slope, start = np.polyfit([rtt for rtt, _ in there], [seconds - here for _, seconds in there], 1)
        yield payload, rate, 1e3 * predicted[rate], 1e3 * float(-start / slope)


def _predicted(offload: Offload, bare: dict[str, Link]) -> dict[str, float]:
    parts = parts_of(offload, offload.remotes[0]).values()
    return {rate: float(np.mean([break_even_rtt(each, link) for each in parts])) for rate, link in bare.items()}


if __name__ == "__main__":
    main()
