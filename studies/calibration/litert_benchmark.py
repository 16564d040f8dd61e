"""Side by side with LiteRT's own benchmark: the same .tflite file, threads and machine, in turn.

    python -m studies.calibration.litert_benchmark MODEL.tflite... [--repeats 7] [--threads 1]

`litert-benchmark` comes with ai-edge-litert and prints hundredths of a millisecond, so models of about 1 ms or more are
compared; the aim is medians within 3 %.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from tabulate import tabulate

from edge_bench.bench.dataset.load import DataOptions, files_workload
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.run import Run, Settings

IMAGES = 200


def ours(model: Path, threads: int) -> Run:
    """Six trials in one process on random images, every invocation timed."""
    settings = Settings(trials=6, processes=1, limit=IMAGES)
    models = ModelFiles.open([model], settings.timeout_s)
    workload = files_workload(models, DataOptions(), IMAGES, settings.seed, settings.timeout_s, Silent())
    planned = plan(models, Selection(runtimes=["litert"], threads=[threads]))
    return run_benchmark(workload, planned, settings, Silent())


def theirs(model: Path, threads: int, runs: int) -> float:
    """Median milliseconds as litert-benchmark states them, in a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".json") as answer:
        command = [
            sys.executable, "-m", "ai_edge_litert.tools.benchmark_litert_model", f"--model={model}",
            f"--num_threads={threads}", f"--num_runs={runs}", "--warmup_runs=200", f"--result_json={answer.name}",
        ]  # fmt: skip
        subprocess.run(command, capture_output=True, check=True)
        return float(json.loads(Path(answer.name).read_text())["latency"]["median_ms"])


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
            latencies = ours(model, arguments.threads).results[0].latencies_ms_per_image()
            pairs.append((float(np.median(latencies)), theirs(model, arguments.threads, len(latencies))))
        first, second = np.array(pairs).T
        ratios = first / second
        rows.append((model.name, f"{np.median(first):.4f}", f"{np.median(second):.2f}", f"{np.median(ratios):.3f}",
                     f"{ratios.min():.3f} to {ratios.max():.3f}"))  # fmt: skip
    header = ("model", "edge-bench, ms", "litert-benchmark, ms", "median ratio", "from, to")
    print(f"{arguments.repeats} pairs, medians, {arguments.threads} thread(s)\n")
    print(tabulate(rows, header, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
