"""What a run costs beside its timed trials.

    python -m studies.calibration.wall_time BUNDLE [--limit 10000] [--trials 30]

The budget: 1.25 × the sum of the timed trials + 3 s a configuration, for the TFLite runtimes.
"""

import argparse
from pathlib import Path

from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run, Settings

FACTOR, SECONDS_A_CONFIGURATION = 1.25, 3.0


def shares(run: Run) -> dict[str, float]:
    """Seconds of the whole run, of its timed trials, of warm-ups, imports and loading, and the budget."""
    trials = sum(trial.elapsed_ns for result in run.measured for trial in result.trials) / 1e9
    processes = [process for result in run.measured for process in result.processes]
    return {
        "wall": run.wall_seconds,
        "timed trials": trials,
        "warm-ups": sum(process.warm_up_ns for process in processes) / 1e9,
        "imports (they overlap)": sum(process.import_ns for process in processes) / 1e9,
        "loading": sum(process.load_ns + process.first_inference_ns for process in processes) / 1e9,
        "budget": FACTOR * trials + SECONDS_A_CONFIGURATION * len(run.measured),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--trials", type=int, default=30)
    arguments = parser.parse_args()
    bundle = Bundle.open(arguments.bundle)
    selection = Selection(runtimes=["tflite-runtime", "litert"])
    settings = Settings(trials=arguments.trials, limit=arguments.limit)
    run = run_benchmark(bundle_workload(bundle, arguments.limit), plan(bundle, selection), settings, Silent())
    found = shares(run)
    print(f"{len(run.measured)} configurations, {arguments.trials} trials, {run.images_per_pass:,} images a pass")
    for name, seconds in found.items():
        print(f"{name:24s} {seconds:8.1f} s")
    print("within the budget" if found["wall"] <= found["budget"] else "OVER the budget")


if __name__ == "__main__":
    main()
