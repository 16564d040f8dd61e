"""A result with the Run it is from, and how its times relate to another's."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from edge_bench.bench.io.record_codec import PackedArray, unpack
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.ratios import Ratio, interleaved_ratio, paired_ratio, unpaired_ratio

__all__ = ["RunResult", "comparable_seconds", "ratio_of_rounds", "seconds_per_image", "time_ratio"]

Rounds = dict[int, dict[int, float]]  # seconds by process and round

#: Where a trial has fewer invocations, their median says little.
_MANY_INVOCATIONS = 20


class RunResult(NamedTuple):
    """A result and the Run it is from."""

    run: Run
    result: Result

    @property
    def images(self) -> int:
        """How many images a pass had."""
        return self.run.images_per_pass

    @property
    def has_typical(self) -> bool:
        """Whether every trial timed enough invocations one by one."""
        return all(trial.latencies.length >= _MANY_INVOCATIONS for trial in self.result.trials)

    def typical_seconds(self) -> Rounds:
        """Seconds that each trial's pass takes if every invocation takes as long as the trial's median one.

        What disturbs fewer than half of a trial's invocations does not reach it, and it is without what lies between
        invocations, which is edge-bench's own.
        """
        batch, table = self.result.configuration.batch_size, Rounds()
        for trial in self.result.trials:
            invocations = min(trial.latencies.length, self.images / batch)  # the last batch may not be full
            table.setdefault(trial.process, {})[trial.round] = invocations * _median_seconds(trial.latencies)
        return table


def time_ratio(item: RunResult, base: RunResult) -> tuple[Ratio | None, str]:
    """How many times the baseline's time an image takes; by process where both ran interleaved in one run."""
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
    """Seconds a pass of both, by process and round, of the same kind.

    `Measured.typical_seconds` where both have the same batch size and enough invocations; else whole passes, since what
    lies between invocations is then another share of each.
    """
    alike = item.result.configuration.batch_size == base.result.configuration.batch_size
    if alike and item.has_typical and base.has_typical:
        return item.typical_seconds(), base.typical_seconds()
    return item.result.by_process(), base.result.by_process()


@lru_cache(maxsize=2048)  # several Runs' trials: each is asked for once a row that is compared
def _median_seconds(latencies: PackedArray) -> float:
    return float(np.median(unpack(latencies))) / 1e9


def ratio_of_rounds(
    first: Mapping[int, Mapping[int, float]],
    second: Mapping[int, Mapping[int, float]],
    by: Callable[[Sequence[Values], Sequence[Values]], Ratio] = paired_ratio,
) -> Ratio | None:
    """How many times as long as ``second`` the ``first`` takes; each is ``{process: {round: seconds}}``.

    From the rounds that both have, paired, by one of bench/stats/ratios.py; None where there is no such round.
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
    """Of whole passes, one array a process."""
    return _per_image(item.result.by_process(), item.images)


def _per_image(table: Rounds, images: int) -> list[Values]:
    return [np.array(list(rounds.values())) / images for _, rounds in sorted(table.items())]
