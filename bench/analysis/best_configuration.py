"""Which threads and batch size are the best of a sweep, beyond doubt or not."""

from collections import defaultdict

import numpy as np

from edge_bench.bench.analysis.timings import RunResult, time_ratio
from edge_bench.bench.records.run import Configuration, Run
from edge_bench.bench.stats.ratios import Verdict, verdict

__all__ = ["best_of_sweeps"]


def best_of_sweeps(run: Run) -> set[Configuration]:
    """The configurations with the most images a second of each variant and runtime that has several, by the median.

    Those that are not slower than it beyond doubt are there too. Empty for an emulated Run.
    """
    sweeps: dict[tuple[str, str], list[RunResult]] = defaultdict(list)
    for result in [] if run.emulated else run.measured:
        sweeps[result.configuration.variant, result.configuration.runtime].append(RunResult(run, result))
    best = set()
    for items in sweeps.values():
        if len(items) < 2:
            continue
        fastest = min(items, key=lambda item: float(np.median(item.result.pass_seconds())))
        for item in items:
            ratio, _ = time_ratio(item, fastest)
            if item is fastest or (ratio and verdict(ratio) is not Verdict.SLOWER):
                best.add(item.result.configuration)
    return best
