"""Earlier Runs of the same configurations on the same machines, used to estimate the variation from run to run."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from edge_bench.bench.analysis.times.machines import machine_key
from edge_bench.bench.analysis.times.timings import RunResult, per_image, seconds_per_image
from edge_bench.bench.records.run import Configuration, Result, Run
from edge_bench.bench.stats.comparisons.separate_runs import level_of

__all__ = ["NO_EARLIER_RUNS", "EarlierResult", "EarlierRuns", "as_earlier", "earlier_key"]


class EarlierResult(NamedTuple):
    """The times of a configuration in an earlier Run."""

    key: tuple[object, ...]  # by `earlier_key`
    run_id: str
    trials: int
    #: Returns the logarithm of the seconds per image of typical invocations (True) or of whole passes; None with too
    #: few invocations.
    level: Callable[[bool], float | None]


class EarlierRuns:
    """Levels of a configuration in Runs that are not compared themselves."""

    def __init__(self, runs: Iterable[Run] = (), derived: Iterable[EarlierResult] = ()) -> None:
        """``runs`` are whole Runs, ``derived`` the results of others."""
        self._results: dict[tuple[object, ...], list[EarlierResult]] = defaultdict(list)
        for each in [*_results_of(runs), *derived]:
            self._results[each.key].append(each)

    def levels(self, side: Sequence[RunResult], *, typical: bool) -> list[float]:
        """Return logarithms of seconds per image, one for each earlier Run of the configuration of ``side``.

        They are of typical invocations or of whole passes. The Runs of the side itself are left out. So are Runs whose
        trials have too few typical invocations, and Runs with over twice as many trials, because the median of a short
        Run varies more than theirs.
        """
        compared = {each.run.run_id for each in side}
        fewest = min(len(each.result.trials) for each in side)
        others = [
            each.level(typical)
            for each in self._results[_key(side[0].run, side[0].result)]
            if each.run_id not in compared and each.trials <= 2 * fewest
        ]
        return [level for level in others if level is not None]


def as_earlier(runs: "Sequence[Run] | EarlierRuns") -> EarlierRuns:
    """Return the levels of Runs; ``runs`` itself if it has levels only."""
    return runs if isinstance(runs, EarlierRuns) else EarlierRuns(runs)


def _results_of(runs: Iterable[Run]) -> list[EarlierResult]:
    """Return the results of whole Runs, without sustained loads."""
    return [
        EarlierResult(_key(run, result), run.run_id, len(result.trials), _level_of(RunResult(run, result)))
        for run in runs
        if not run.settings.sustained
        for result in run.results_with_trials
    ]


def _level_of(item: RunResult) -> Callable[[bool], float | None]:
    def level(typical: bool) -> float | None:
        if not typical:
            return level_of(seconds_per_image(item))
        return level_of(per_image(item.typical_seconds(), item.images)) if item.has_typical else None

    return level


def earlier_key(
    of_run: tuple[object, ...], configuration: Configuration, versions: tuple[str, str | None]
) -> tuple[object, ...]:
    """Return the properties that results share if they differ only by chance.

    of_run: key of the machine, SHA-256 of the bundle, images per pass, ``--resample`` and ``--cpus``
    versions: of the runtime, and the SHA-256 of the delegate's library
    """
    return of_run, configuration, versions


def _key(run: Run, result: Result) -> tuple[object, ...]:
    settings, library = run.settings, result.delegate_library
    of_run = machine_key(run.machine), run.bundle.sha256, run.images_per_pass, settings.resample, settings.cpus
    return earlier_key(of_run, result.configuration, (result.runtime_version, library.sha256 if library else None))


NO_EARLIER_RUNS = EarlierRuns([])
