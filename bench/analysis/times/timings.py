"""Times of a result, and their ratio to the times of another result."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from edge_bench.bench.io.record_codec import PackedArray, unpack
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.stats.intervals import Values, median
from edge_bench.bench.stats.ratios import Ratio, interleaved_ratio, paired_ratio, unpaired_ratio

__all__ = ["RunResult", "comparable_seconds", "ratio_of_rounds", "seconds_per_image", "time_ratio"]

Rounds = dict[int, dict[int, float]]  # seconds per pass, by process and round

#: Invocations that a trial needs at least for a meaningful median.
_MIN_INVOCATIONS = 20


class RunResult(NamedTuple):
    """A result and the Run that contains it."""

    run: Run
    result: Result
    variant: str = ""  # name of the variant in its Run, if this name was changed to tell models apart

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

        A disturbance of fewer than half of a trial's invocations does not affect it. It excludes the time between
        invocations, which is edge-bench's own.
        """
        batch, table = self.result.configuration.batch_size, Rounds()
        for trial in self.result.trials:
            invocations = min(trial.latencies.length, self.images / batch)  # the last batch may not be full
            table.setdefault(trial.process, {})[trial.round] = invocations * _median_seconds(trial.latencies)
        return table


def time_ratio(item: RunResult, base: RunResult) -> tuple[Ratio | None, str]:
    """Return the time per image divided by the baseline's; if there is no ratio, None and the reason.

    The ratio is an interleaved one if both are from one Run, otherwise an unpaired one.
    """
    if item.result is base.result:
        return None, "baseline"
    if item.run.emulated or base.run.emulated:
        return None, "EMULATED: no verdict on time"
    first, second = comparable_seconds(item, base)
    if item.run is base.run:
        ratio = ratio_of_rounds(first, second, interleaved_ratio)
        return ratio, "" if ratio else "no round in which both were measured"
    return unpaired_ratio(_per_image(first, item.images), _per_image(second, base.images)), ""


def comparable_seconds(item: RunResult, base: RunResult) -> tuple[Rounds, Rounds]:
    """Return seconds per pass of both, by process and round, measured in the same way.

    They are `RunResult.typical_seconds` if both have the same batch size and enough invocations. Otherwise they are
    whole passes, since the time between invocations is then a different share of each.
    """
    same_batch_size = item.result.configuration.batch_size == base.result.configuration.batch_size
    if same_batch_size and item.has_typical and base.has_typical:
        return item.typical_seconds(), base.typical_seconds()
    return item.result.by_process(), base.result.by_process()


@lru_cache(maxsize=2048)  # enough for the trials of several Runs; each is needed once per compared row
def _median_seconds(latencies: PackedArray) -> float:
    return median(unpack(latencies)) / 1e9


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
    return _per_image(item.result.by_process(), item.images)


def _per_image(table: Rounds, images: int) -> list[Values]:
    return [np.array(list(rounds.values())) / images for _, rounds in sorted(table.items())]
