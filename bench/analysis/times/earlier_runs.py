"""Earlier Runs of the same configurations on the same machines, used to estimate the variation from run to run."""

from collections import defaultdict
from collections.abc import Sequence

from edge_bench.bench.analysis.times.machines import machine_key
from edge_bench.bench.analysis.times.timings import RunResult, per_image, seconds_per_image
from edge_bench.bench.records.run import Run
from edge_bench.bench.stats.comparisons.separate_runs import level_of

__all__ = ["NO_EARLIER_RUNS", "EarlierRuns"]


class EarlierRuns:
    """Levels of a configuration in Runs that are not compared themselves."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._results: dict[tuple[object, ...], list[RunResult]] = defaultdict(list)
        for run in [each for each in runs if not each.settings.sustained]:
            for result in run.results_with_trials:
                item = RunResult(run, result)
                self._results[_key(item)].append(item)

    def levels(self, side: Sequence[RunResult], *, typical: bool) -> list[float]:
        """Return logarithms of seconds per image, one for each earlier Run of the configuration of ``side``.

        They are of typical invocations or of whole passes. The Runs of the side itself are left out. So are Runs whose
        trials have too few typical invocations, and Runs with over twice as many trials, because the median of a short
        Run varies more than theirs.
        """
        compared = {each.run.run_id for each in side}
        fewest = min(len(each.result.trials) for each in side)
        others = [
            item
            for item in self._results[_key(side[0])]
            if item.run.run_id not in compared and len(item.result.trials) <= 2 * fewest
        ]
        if not typical:
            return [level_of(seconds_per_image(item)) for item in others]
        return [level_of(per_image(item.typical_seconds(), item.images)) for item in others if item.has_typical]


def _key(item: RunResult) -> tuple[object, ...]:
    """Return the properties that Runs share if they differ only by chance."""
    run, result = item.run, item.result
    return (
        machine_key(run.machine), run.bundle.sha256, result.configuration, result.runtime_version,
        result.delegate_library and result.delegate_library.sha256, item.images, run.settings.resample,
        run.settings.cpus,
    )  # fmt: skip


NO_EARLIER_RUNS = EarlierRuns([])
