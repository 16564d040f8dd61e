"""Median latency of `edge-bench run` compared with LiteRT's own benchmark tool, `litert-benchmark`.

    python -m studies.cost.litert_benchmark MODEL.tflite... [--repeats 7] [--threads 1]

Both measure the same .tflite file with the same number of threads, alternately. `litert-benchmark` is part of
ai-edge-litert and has a resolution of 0.01 ms, so use models of about 1 ms or more. The aim is medians within 3 %.
A repeat runs the model about 2,600 times: seconds at 0.6 ms, a minute at 24 ms. Figures: docs/calibration.md.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from tabulate import tabulate

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.interpretation.files_workload import files_workload
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.run import Run, Settings

IMAGES = 200


def run_edge_bench(model: Path, threads: int) -> Run:
    """Return a Run of six trials in one process on random images; every invocation is timed."""
    settings = Settings(trials=6, processes=1, limit=IMAGES)
    models = ModelFiles.open([model], settings.timeout_s)
    workload = files_workload(models, DataOptions(), settings, Silent())
    planned = plan(models, Selection(runtimes=["litert"], threads=[threads]))
    return run_benchmark(workload, planned, settings, Silent())


def run_litert_benchmark(model: Path, threads: int, runs: int) -> float:
    """Return the median latency in milliseconds that litert-benchmark reports; it runs in a separate process."""
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        command = [
            sys.executable, "-m", "ai_edge_litert.tools.benchmark_litert_model", f"--model={model}",
            f"--num_threads={threads}", f"--num_runs={runs}", "--warmup_runs=200", f"--result_json={result.name}",
        ]  # fmt: skip
        subprocess.run(command, capture_output=True, check=True)
        return float(json.loads(Path(result.name).read_text())["latency"]["median_ms"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    rows = []
    for model in arguments.models:
        pairs = []
        for _ in range(arguments.repeats):
            latencies = run_edge_bench(model, arguments.threads).results[0].latencies_ms_per_image()
            pairs.append((float(np.median(latencies)), run_litert_benchmark(model, arguments.threads, len(latencies))))
        edge_bench, litert = np.array(pairs).T
        ratios = edge_bench / litert
        rows.append((model.name, f"{np.median(edge_bench):.4f}", f"{np.median(litert):.2f}", f"{np.median(ratios):.3f}",
                     f"{ratios.min():.3f} to {ratios.max():.3f}"))  # fmt: skip
    header = ("model", "edge-bench, ms", "litert-benchmark, ms", "median ratio", "from, to")
    print(f"{arguments.repeats} pairs, medians, {arguments.threads} thread(s)\n")
    print(tabulate(rows, header, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
