"""Overhead of `edge-bench run`: its median latency divided by that of a bare loop of set_tensor, invoke, get_tensor.

    python -m studies.overhead BUNDLE [--repeats 7] [--limit 2000]

Both measure the variant `dynamic` on LiteRT, batch size 1, one thread, with the same images. They alternate, each in a
fresh process. The result is the ratio of medians of each pair; the aim is at most 1.05.
Takes about a minute. Figures: docs/overhead.md.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Settings

BARE_LOOP = """
import sys, time
import numpy as np
from ai_edge_litert.interpreter import Interpreter
images = np.load(sys.argv[2], allow_pickle=False)[[int(part) for part in sys.argv[3].split(",")]]
inputs = images * np.float32(1 / 255)
interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
index_in, index_out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
def infer(i):
    interpreter.set_tensor(index_in, inputs[i:i + 1])
    interpreter.invoke()
    return interpreter.get_tensor(index_out)
began = time.perf_counter()
while time.perf_counter() - began < 0.5:
    infer(0)
latencies = []
for _ in range(3):
    for i in range(len(inputs)):
        before = time.perf_counter_ns()
        interpreter.set_tensor(index_in, inputs[i:i + 1])
        interpreter.invoke()
        interpreter.get_tensor(index_out)
        latencies.append(time.perf_counter_ns() - before)
print(np.median(latencies))
"""


def bare_loop_latency(bundle: Bundle, indices: list[int]) -> float:
    """Return the median latency of the bare loop in nanoseconds."""
    paths = [str(bundle.folder / name) for name in (bundle.variant("dynamic").file, bundle.test_images.file)]
    command = [sys.executable, "-c", BARE_LOOP, *paths, ",".join(map(str, indices))]
    return float(subprocess.run(command, capture_output=True, check=True).stdout)


def run_latency(bundle: Bundle, limit: int) -> float:
    """Return the median latency that `run` reports, in nanoseconds."""
    selection = Selection(variants=["dynamic"], runtimes=["litert"])
    run = run_benchmark(
        bundle_workload(bundle, limit), plan(bundle, selection), Settings(trials=3, processes=1, limit=limit), Silent()
    )
    return float(np.median(run.results[0].latencies_ms_per_image())) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--limit", type=int, default=2000)
    arguments = parser.parse_args()
    bundle = Bundle.open(arguments.bundle)
    indices = draw_evenly(np.array(bundle.test_set()[1]), arguments.limit, Settings().seed).tolist()
    ratios = []
    print("bare, µs   run, µs   ratio")
    for _ in range(arguments.repeats):
        bare, run = bare_loop_latency(bundle, indices), run_latency(bundle, arguments.limit)
        ratios.append(run / bare)
        print(f"{bare / 1e3:8.1f}  {run / 1e3:8.1f}   {ratios[-1]:.3f}", flush=True)
    print(f"median ratio {np.median(ratios):.3f} (from {min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
