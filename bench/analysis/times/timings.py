"""Times of a result, and their ratio to the times of another result."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from edge_bench.bench.analysis.times.groups import repeat_key
from edge_bench.bench.io.record_codec import PackedArray, unpack
from edge_bench.bench.records.run import Failure, Result, Run
from edge_bench.bench.stats.intervals import Values, median
from edge_bench.bench.stats.ratios import Ratio, paired_ratio

__all__ = [
    "Estimator",
    "Rounds",
    "RunResult",
    "as_one",
    "common_estimator",
    "joined_repeats",
    "per_image",
    "ratio_of_rounds",
    "seconds_of",
    "seconds_per_image",
]

Rounds = dict[int, dict[int, float]]  # seconds per pass, by process and round

#: Minimum number of invocations of a trial for a meaningful median.
_MIN_INVOCATIONS = 20


class Estimator(StrEnum):
    """The compared quantity of a trial."""

    TYPICAL = "typical invocation"  # the trial as if every invocation took the median latency
    WHOLE = "whole pass"


class RunResult(NamedTuple):
    """A result and the Run that contains it, with the results of the same configuration in repeats of that Run."""

    run: Run
    result: Result
    variant: str = ""  # name of the variant in its Run, if this name was changed to distinguish models
    repeats: tuple["RunResult", ...] = ()  # in the other Runs of its side

    @property
    def all_runs(self) -> tuple["RunResult", ...]:
        """The result and its repeats, one for each Run."""
        return (self, *self.repeats)

    @property
    def failure(self) -> Failure | None:
        """The first failure of these results; None if all have every trial."""
        return next((each.result.failure for each in self.all_runs if each.result.failure), None)

    @property
    def role(self) -> str:
        """Name of the variant in its Run, such as ``float32``."""
        return self.variant or self.result.configuration.variant

    @property
    def images(self) -> int:
        """Images per pass."""
        return self.run.images_per_pass

    @property
    def has_typical(self) -> bool:
        """Whether every trial has enough latencies for `typical_seconds`."""
        return all(trial.latencies.length >= _MIN_INVOCATIONS for trial in self.result.trials)

    def typical_seconds(self) -> Rounds:
        """Return seconds per pass of each trial, as if every invocation took the trial's median latency.

        It is not affected by a disturbance of fewer than half of a trial's invocations. It excludes the time between
        invocations, which is edge-bench's own.
        """
        batch, table = self.result.configuration.batch_size, Rounds()
        for trial in self.result.trials:
            invocations = min(trial.latencies.length, self.images / batch)  # the last batch may not be full
            table.setdefault(trial.process, {})[trial.round] = invocations * _median_seconds(trial.latencies)
        return table

    def mean_to_median(self) -> Rounds:
        """Return the mean latency of each trial divided by its median: above 1 if some invocations are slow."""
        table = Rounds()
        for trial in self.result.trials:
            table.setdefault(trial.process, {})[trial.round] = _mean_to_median(trial.latencies)
        return table


@lru_cache(maxsize=2048)  # enough for the trials of several Runs; each is needed once per compared row
def _median_seconds(latencies: PackedArray) -> float:
    return median(unpack(latencies)) / 1e9


@lru_cache(maxsize=2048)
def _mean_to_median(latencies: PackedArray) -> float:
    values = unpack(latencies)
    return float(values.mean() / np.median(values))


def common_estimator(results: Sequence[RunResult]) -> Estimator:
    """Return typical invocations if all have the same batch size and enough invocations, otherwise whole passes.

    The time between invocations is a different share of a pass for each batch size.
    """
    batch_sizes = {each.result.configuration.batch_size for each in results}
    typical = len(batch_sizes) == 1 and all(each.has_typical for each in results)
    return Estimator.TYPICAL if typical else Estimator.WHOLE


def seconds_of(item: RunResult, estimator: Estimator) -> Rounds:
    """Return seconds per pass by process and round."""
    return item.typical_seconds() if estimator is Estimator.TYPICAL else item.result.by_process()


def joined_repeats(results: Sequence[RunResult]) -> list[RunResult]:
    """Return the results with those of the same configuration in repeats of a Run joined to the first measured one."""
    sides: dict[object, list[RunResult]] = {}
    for item in results:
        of_run = (item.result.configuration, item.role) if item.run.repeat_group else id(item.result)
        side = sides.setdefault((repeat_key(item.run), of_run), [])
        if not any(other.run.run_id == item.run.run_id for other in side):
            side.append(item)
    return [as_one(side) for side in sides.values()]


def as_one(side: Sequence[RunResult]) -> RunResult:
    """Return the results of several Runs as one: the first measured one, with the other measured ones as repeats."""
    measured = [item for item in side if item.result.trials]
    return measured[0]._replace(repeats=tuple(measured[1:])) if measured else side[0]


def ratio_of_rounds(
    first: Mapping[int, Mapping[int, float]],
    second: Mapping[int, Mapping[int, float]],
    by: Callable[[Sequence[Values], Sequence[Values]], Ratio] = paired_ratio,
) -> Ratio | None:
    """Return the ratio of ``first`` to ``second``, each ``{process: {round: seconds}}``, from their common rounds.

    ``by`` is a function of bench/stats/ratios.py. Return None if there is no common round.
    """
    both = first.keys() & second.keys()
    shared = {process: sorted(first[process].keys() & second[process].keys()) for process in both}
    pairs = [(process, rounds) for process, rounds in sorted(shared.items()) if rounds]
    if not pairs:
        return None
    return by(
        [np.array([first[process][number] for number in rounds]) for process, rounds in pairs],
        [np.array([second[process][number] for number in rounds]) for process, rounds in pairs],
    )


def seconds_per_image(item: RunResult) -> list[Values]:
    """Return seconds per image of whole passes, one array [trials] per process."""
    return per_image(item.result.by_process(), item.images)


def per_image(table: Rounds, images: int) -> list[Values]:
    """Return the seconds of a table divided by the images per pass, one array [trials] per process."""
    return [np.array(list(rounds.values())) / images for _, rounds in sorted(table.items())]
