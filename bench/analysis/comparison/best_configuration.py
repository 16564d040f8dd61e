"""The best threads and batch sizes of a sweep, including configurations not significantly slower."""

from collections import defaultdict

from edge_bench.bench.analysis.times.processes import ratio_despite_luck
from edge_bench.bench.analysis.times.timings import RunResult, common_estimator, ratio_of_rounds, seconds_of
from edge_bench.bench.records.run import Configuration, Run
from edge_bench.bench.stats.comparisons.fastest import slower_than_fastest
from edge_bench.bench.stats.intervals import median
from edge_bench.bench.stats.ratios import Ratio

__all__ = ["best_of_sweeps"]


def best_of_sweeps(run: Run) -> set[Configuration]:
    """Return the fastest configuration, by median pass time, of each variant, runtime and delegate that has several.

    Configurations that are not significantly slower than the fastest are included. If configurations are equally fast,
    any of them is excluded in about 5 % of sweeps or fewer. Empty for an emulated Run.
    """
    sweeps: dict[tuple[str, str, str], list[RunResult]] = defaultdict(list)
    for result in [] if run.emulated else run.results_with_trials:
        configuration = result.configuration
        sweeps[configuration.variant, configuration.runtime, configuration.delegate].append(RunResult(run, result))
    return {
        item.result.configuration for items in sweeps.values() if len(items) > 1 for item in _fastest_of_sweep(items)
    }


def _fastest_of_sweep(items: list[RunResult]) -> list[RunResult]:
    """Return the fastest of at least two configurations, and those not slower that share a round with it."""
    fastest = min(items, key=lambda item: median(item.result.pass_seconds()))
    others = [item for item in items if item is not fastest]
    found = [(item, ratio) for item in others if (ratio := _ratio(item, fastest))]
    slower = slower_than_fastest([ratio for _, ratio in found])
    return [fastest, *(item for (item, _), is_slower in zip(found, slower, strict=True) if not is_slower)]


def _ratio(item: RunResult, fastest: RunResult) -> Ratio | None:
    estimator = common_estimator([item, fastest])
    return ratio_of_rounds(seconds_of(item, estimator), seconds_of(fastest, estimator), ratio_despite_luck)
