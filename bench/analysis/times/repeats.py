"""Variation of a configuration's time between repeated Runs."""

from collections.abc import Sequence

import msgspec
import numpy as np

from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.records.run import UNSEEN, Configuration, Run

__all__ = ["RunToRun", "run_to_run"]


class RunToRun(msgspec.Struct, frozen=True, kw_only=True):
    """The times of one configuration in several Runs of the same models, data and settings."""

    configuration: Configuration
    levels: list[
        float
    ]  # seconds per image, one per Run that measured the whole configuration, in the order of the Runs
    typical: bool  # whether levels are of typical invocations; otherwise of whole passes
    differing_predictions: int  # images with different labels in different Runs

    @property
    def n(self) -> int:
        """Number of Runs that measured the configuration."""
        return len(self.levels)

    @property
    def median(self) -> float | None:
        """Median of the levels, in seconds per image; None without one."""
        return float(np.median(self.levels)) if self.levels else None

    @property
    def standard_deviation(self) -> float | None:
        """Standard deviation (n - 1) of the levels' logarithms, a fraction of the level; None for fewer than two."""
        return float(np.std(np.log(self.levels), ddof=1)) if self.n > 1 else None

    @property
    def range(self) -> float | None:
        """Highest level divided by the lowest, minus 1; None for fewer than two."""
        return max(self.levels) / min(self.levels) - 1 if self.n > 1 else None


def run_to_run(runs: Sequence[Run]) -> list[RunToRun]:
    """Return the variation of each configuration between Runs, in the order of the first Run.

    A Run's level is the median over its trials of the time per image, with each trial as long as its median invocation
    makes it. If a trial of any Run has too few invocations for that, all levels are of whole passes. A Run in which
    the configuration failed has no level.
    """
    items: dict[Configuration, list[RunResult]] = {}
    for run in runs:
        for result in run.results:
            items.setdefault(result.configuration, []).append(RunResult(run, result))
    return [_variation(configuration, of_one) for configuration, of_one in items.items()]


def _variation(configuration: Configuration, items: Sequence[RunResult]) -> RunToRun:
    measured = [item for item in items if item.result.trials and item.result.failure is None]
    typical = bool(measured) and all(item.has_typical for item in measured)
    return RunToRun(
        configuration=configuration,
        levels=[_level(item, typical=typical) for item in measured],
        typical=typical,
        differing_predictions=_differing_predictions(items),
    )


def _level(item: RunResult, *, typical: bool) -> float:
    """Return the median over trials, in seconds per image."""
    table = item.typical_seconds() if typical else item.result.by_process()
    return float(np.median([seconds for rounds in table.values() for seconds in rounds.values()])) / item.images


def _differing_predictions(items: Sequence[RunResult]) -> int:
    """Return the number of images with more than one label, among the Runs that saw them."""
    labels = [item.result.labels() for item in items if item.result.predictions is not None]
    if len(labels) < 2:
        return 0
    different = np.zeros(len(labels[0]), dtype=np.bool_)
    first = labels[0].copy()
    for other in labels[1:]:
        different |= (first != other) & (first != UNSEEN) & (other != UNSEEN)
        first = np.where(first == UNSEEN, other, first)
    return int(np.count_nonzero(different))
