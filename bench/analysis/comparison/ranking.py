"""The fastest configurations of each Run, and of all compared Runs."""

from collections.abc import Sequence

from edge_bench.bench.analysis.times.compared_times import ratio_of_times
from edge_bench.bench.analysis.times.example_times import example_time
from edge_bench.bench.analysis.times.groups import repeat_key
from edge_bench.bench.analysis.times.timings import Estimator, RunResult
from edge_bench.bench.stats.comparisons.fastest import slower_despite_noise

__all__ = ["Ranking", "ranking"]


class Ranking:
    """The results that are not slower than the fastest, by the identity of the result."""

    def __init__(self, in_run: Sequence[RunResult], of_all: Sequence[RunResult]) -> None:
        self._in_run, self._of_all = ({id(item.result) for item in items} for items in (in_run, of_all))

    def fastest_in_run(self, item: RunResult) -> bool:
        """Return whether no configuration of its Run, or of the Run's repeats, is significantly faster."""
        return id(item.result) in self._in_run

    def fastest(self, item: RunResult) -> bool:
        """Return whether no configuration of any Run is significantly faster."""
        return id(item.result) in self._of_all


def ranking(measured: Sequence[RunResult], estimator: Estimator) -> Ranking:
    """Return which of these results are not slower than the fastest. Emulated ones have no times and are left out.

    Results that failed after some trials are left out too, unless all did: they cannot be recommended.

    The configurations of a Run are one family: if they are equally fast, any is called slower in about 5 % of Runs or
    fewer (`slower_despite_noise`). The fastest of each Run are another family, whose ratios are between separate Runs.
    A Run takes part with all configurations that are not slower than its fastest.
    """
    sides: dict[object, list[RunResult]] = {}
    for item in measured:
        if not item.run.emulated and item.result.trials:
            sides.setdefault(repeat_key(item.run), []).append(item)
    best = [_not_slower(_finished(side) or side, estimator) for side in sides.values()]
    first = [side[0] for side in best]
    leaders = _not_slower(_finished(first) or first, estimator)
    of_all = [item for side in best for item in side if any(side[0] is leader for leader in leaders)]
    return Ranking([item for side in best for item in side], of_all)


def _finished(items: Sequence[RunResult]) -> list[RunResult]:
    return [item for item in items if not any(each.result.failure for each in item.all_runs)]


def _not_slower(items: Sequence[RunResult], estimator: Estimator) -> list[RunResult]:
    """Return the fastest result by its median, then those that are not significantly slower; empty if there are none.

    Results without a trial in a common round have no ratio and are left out.
    """
    if len(items) < 2:
        return list(items)
    fastest = min(items, key=lambda item: example_time(item, estimator).milliseconds)
    others = [item for item in items if item is not fastest]
    found = [(item, ratio) for item in others if (ratio := ratio_of_times(item, fastest))]
    slower = slower_despite_noise([ratio for _, ratio in found])
    return [fastest, *(item for (item, _), is_slower in zip(found, slower, strict=True) if not is_slower)]
