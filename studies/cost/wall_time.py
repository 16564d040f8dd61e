"""Duration of a whole run compared with its timed trials and with a budget.

    python -m studies.cost.wall_time BUNDLE [--limit 10000] [--trials 30]

Measures all variants of a bundle on tflite-runtime and LiteRT. The budget is 1.25 × the sum of the timed trials + 3 s
per configuration. Takes about six minutes for Fashion-MNIST's 10,000 images and one for 1,000.
Figures: docs/calibration.md.
"""

import argparse
from pathlib import Path

from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run, Settings

BUDGET_FACTOR, BUDGET_SECONDS_PER_CONFIGURATION = 1.25, 3.0


def durations(run: Run) -> dict[str, float]:
    """Return the seconds of the whole run, its timed trials, warm-ups, imports and loading, and of the budget."""
    trials = sum(trial.elapsed_ns for result in run.results_with_trials for trial in result.trials) / 1e9
    processes = [process for result in run.results_with_trials for process in result.processes]
    return {
        "wall": run.wall_seconds,
        "timed trials": trials,
        "warm-ups": sum(process.warm_up_ns for process in processes) / 1e9,
        "imports (they overlap)": sum(process.import_ns for process in processes) / 1e9,
        "loading": sum(process.load_ns + process.first_inference_ns for process in processes) / 1e9,
        "budget": BUDGET_FACTOR * trials + BUDGET_SECONDS_PER_CONFIGURATION * len(run.results_with_trials),
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
    seconds = durations(run)
    count = len(run.results_with_trials)
    print(f"{count} configurations, {arguments.trials} trials, {run.images_per_pass:,} images per pass")
    for name, value in seconds.items():
        print(f"{name:24s} {value:8.1f} s")
    print("within the budget" if seconds["wall"] <= seconds["budget"] else "OVER the budget")


if __name__ == "__main__":
    main()
