"""Break-even round trips that the latency model predicts, compared with measured ones, for simulated links.

    python -m studies.offload.break_even BUNDLE --local dynamic/tflite-runtime --server dynamic/litert \
        --setting raw@50Mbit --setting jpeg@5Mbit

Server and client run natively on this machine. For each setting (payload@bandwidth), the round trip at which remote and
local inference take equally long is predicted from the direct path, which has no simulated link. The same interleaved
run measures links with round trips around the prediction. A line fitted to remote minus local time crosses 0 at the
measured break-even. Takes some minutes per payload; longer for slow models. Figures: docs/offload.md.
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
from edge_bench.bench.offload.network.link_profiles import Link, link_from
from edge_bench.bench.offload.records.offload import Offload, OffloadSettings

Measure = Callable[[list[str], list[Link]], Offload]
ROUND_TRIP_FACTORS = (0.7, 0.9, 1.1, 1.3)  # measured round trips, relative to the predicted one


@contextmanager
def served(bundle: Path, configuration: str) -> Iterator[str]:
    """Run `edge-bench serve` on a free port of this machine during the context; yield its URL."""
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
    options = parser.parse_args()
    images = options.limit
    settings = OffloadSettings(trials=options.trials, processes=options.processes, limit=images, accuracy_images=images)
    pairs = [tuple(setting.split("@")) for setting in options.setting]
    with served(options.bundle, options.server) as url:

        def measure(payloads: list[str], links: list[Link]) -> Offload:
            variant, runtime = options.local.split("/")
            plan = plan_offload(
                options.bundle, url, settings, selection=Selection(variants=[variant], runtimes=[runtime]),
                model=None, token="", payloads=payloads, links=links, in_flight=[1], power=None,
            )  # fmt: skip
            return measure_offload(plan, progress())

        rows = []
        for payload in dict.fromkeys(payload for payload, _ in pairs):
            rates = [rate for name, rate in pairs if name == payload]
            rows += list(_break_even_rows(payload, rates, measure))
    print(f"here {options.local}, there {options.server}, {images} images, {options.trials} trials")
    print("| payload | bandwidth | predicted break-even round trip, ms | measured, ms | error |\n|---|---|---|---|---|")
    for payload, rate, predicted, measured in rows:
        error = 100 * (predicted / measured - 1)
        print(f"| {payload} | {rate} | {predicted:.2f} | {measured:.2f} | {error:+.1f} % |")


def _break_even_rows(payload: str, rates: list[str], measure: Measure) -> Iterator[tuple[str, str, float, float]]:
    """Yield payload, rate, predicted and measured break-even round trip in milliseconds.

    A first, shorter run determines which round trips to measure. Prediction and measurement are both from a second run:
    the former from its direct path, the latter from its links. Raise EdgeBenchError if at some rate remote inference is
    slower even without a round trip.
    """
    bare = {rate: link_from(f"rtt=0ms,rate={rate}") for rate in rates}
    rough = _predict(measure([payload], []), bare)
    impossible = [rate for rate, rtt in rough.items() if rtt <= 0]
    if impossible:
        raise EdgeBenchError(f"sending {payload} at {', '.join(impossible)} is slower than local inference on any link")
    links = {
        (rate, factor): msgspec.structs.replace(link, name=f"{rate} {factor}", rtt_s=rough[rate] * factor)
        for rate, link in bare.items()
        for factor in ROUND_TRIP_FACTORS
    }
    offload = measure([payload], list(links.values()))
    predicted, assessment = _predict(offload, bare), assess(offload)
    rows = {row.link: row for row in assessment.rows}
    assert assessment.local
    local_s = assessment.local.value
    for rate in rates:
        of_rate = [links[rate, factor] for factor in ROUND_TRIP_FACTORS]
        remote = [(link.rtt_s, row.measured.value) for link in of_rate if (row := rows[link.name]).measured]
        slope, intercept = np.polyfit([rtt_s for rtt_s, _ in remote], [seconds - local_s for _, seconds in remote], 1)
        yield payload, rate, 1e3 * predicted[rate], 1e3 * float(-intercept / slope)


def _predict(offload: Offload, bare: dict[str, Link]) -> dict[str, float]:
    """Return the predicted break-even round trip in seconds, by rate."""
    parts = parts_of(offload, offload.remotes[0]).values()
    return {rate: float(np.mean([break_even_rtt(each, link) for each in parts])) for rate, link in bare.items()}


if __name__ == "__main__":
    main()
