"""Cost of the workers' sandbox: the median latency with it divided by that without it.

    python -m studies.cost.sandbox_cost MODEL.tflite [--runtime litert] [--threads 1] [--pairs 10] [--trials 20]

Each pair is two fresh workers with the same model and images, one in the sandbox. They alternate in the order ABBA, so
that a change of the machine's speed affects both. The result is the median of the pairs' ratios, with the smallest and
the largest. A small model is the worst case, because a system call takes a larger fraction of its latency.
Takes about a minute. Figures: SECURITY.md.
"""

import argparse
import contextlib
import tempfile
from pathlib import Path

import numpy as np

from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.sandbox.support import sandbox_support
from edge_bench.bench.worker.access import access_to
from edge_bench.bench.worker.messages import Prepare, Prepared, Ready, Time, Timed
from edge_bench.bench.worker.process import WorkerProcess
from edge_bench.bench.worker.protocol import Reply

TIMEOUT_S = 600.0
IMAGES = 200


def start(request: Prepare, *, sandboxed: bool) -> WorkerProcess:
    """Return a worker with the loaded model, warmed up."""
    access = access_to([request.file, request.images]) if sandboxed else None
    worker = WorkerProcess.spawn("edge_bench.bench.worker", [request.configuration.runtime], Reply, access)
    worker.wait_for(Ready, TIMEOUT_S)
    worker.ask(request, Prepared, TIMEOUT_S)
    return worker


def ratio_of_pair(request: Prepare, trials: int) -> tuple[float, float, float]:
    """Return the median latencies in ns without and with the sandbox, and their ratio."""
    latencies: dict[bool, list[int]] = {False: [], True: []}
    with contextlib.ExitStack() as cleanup:
        workers = {sandboxed: cleanup.enter_context(start(request, sandboxed=sandboxed)) for sandboxed in latencies}
        for number in range(trials):
            for sandboxed in (False, True) if number % 2 else (True, False):
                latencies[sandboxed] += workers[sandboxed].ask(Time(passes=1), Timed, TIMEOUT_S).latencies_ns
    bare, inside = (float(np.median(latencies[sandboxed])) for sandboxed in (False, True))
    return bare, inside, inside / bare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--runtime", default="litert")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--trials", type=int, default=20)
    arguments = parser.parse_args()
    print(f"sandbox: {', '.join(sandbox_support().parts) or 'not active'}")
    shape = read_tflite(arguments.model).only_input.shape
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder, "images.npy")
        np.save(images, np.random.default_rng(42).integers(0, 256, (IMAGES, *shape[1:]), np.uint8), allow_pickle=False)
        request = Prepare(
            configuration=Configuration(
                variant="x", runtime=arguments.runtime, threads=arguments.threads, batch_size=1
            ),
            file=arguments.model.absolute(), images=images, rows=list(range(IMAGES)),
            preprocessing=Preprocessing(scale=1 / 255, offset=0.0, name=""),
        )  # fmt: skip
        print("without, µs   with, µs   ratio")
        ratios = []
        for _ in range(arguments.pairs):
            bare, inside, ratio = ratio_of_pair(request, arguments.trials)
            ratios.append(ratio)
            print(f"{bare / 1e3:11.2f} {inside / 1e3:10.2f}   {ratio:.4f}", flush=True)
    print(f"median ratio {np.median(ratios):.4f} (from {min(ratios):.4f} to {max(ratios):.4f})")


if __name__ == "__main__":
    main()
