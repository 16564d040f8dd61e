"""The best threads and batch sizes of a sweep, including configurations not significantly slower."""

from collections import defaultdict

from edge_bench.bench.analysis.times.timings import RunResult, time_ratio
from edge_bench.bench.records.run import Configuration, Run
from edge_bench.bench.stats.intervals import median
from edge_bench.bench.stats.ratios import Verdict, verdict

__all__ = ["best_of_sweeps"]


def best_of_sweeps(run: Run) -> set[Configuration]:
    """Return the fastest configuration, by median pass time, of each variant and runtime that has several.

    Configurations that are not significantly slower than the fastest are included. Empty for an emulated Run.
    """
    sweeps: dict[tuple[str, str], list[RunResult]] = defaultdict(list)
    for result in [] if run.emulated else run.results_with_trials:
        sweeps[result.configuration.variant, result.configuration.runtime].append(RunResult(run, result))
    best = set()
    for items in sweeps.values():
        if len(items) < 2:
            continue
        fastest = min(items, key=lambda item: median(item.result.pass_seconds()))
        for item in items:
            ratio, _ = time_ratio(item, fastest)
            if item is fastest or (ratio and verdict(ratio) is not Verdict.SLOWER):
                best.add(item.result.configuration)
    return best
