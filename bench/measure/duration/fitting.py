"""The settings of a run that fit in a budget, from the speed of its workers on a few images."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.measure.duration.budget import choose, describe, precision
from edge_bench.bench.measure.duration.calibration import SAMPLE, measure_cost
from edge_bench.bench.measure.duration.cost import RunCost
from edge_bench.bench.measure.energy.start import idle_seconds
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.measure.schedule import AT_ONCE
from edge_bench.bench.progress import Progress, Silent, duration_text
from edge_bench.bench.records.run import Settings

__all__ = ["Budget"]

#: Builds the workload of a run with these settings, and reports its progress to this view.
WorkloadBuilder = Callable[[Settings, Progress], Workload]


@dataclass(frozen=True)
class Budget:
    """The time that a command may take to measure.

    stated: those of limit, trials and processes that the user set. They are kept
    runs: number of complete runs of the command, one after another
    earlier: returns the settings that the budget chose for an earlier run of the same configurations, or None
    """

    seconds: float
    stated: frozenset[str] = frozenset()
    runs: int = 1
    earlier: Callable[[Settings, Sequence[Planned]], Settings | None] = field(default=lambda *_: None)

    def settings(
        self,
        wanted: Settings,
        planned: Sequence[Planned],
        build: WorkloadBuilder,
        progress: Progress,
        total: int | None,
    ) -> Settings:
        """Return the settings that fit in the budget, from the speed on a few images, and print them.

        ``total`` is the number of images, if known. Raise BadInput if even the smallest settings do not fit.
        """
        wanted = msgspec.structs.replace(wanted, budget_s=self.seconds)
        if (earlier := self.earlier(wanted, planned)) is not None:
            return earlier
        stated = self.stated | ({"limit"} if wanted.limit is not None else set())
        began = time.monotonic()
        sample = _sample(wanted, build, total, progress)
        count = total or sample.total_images
        cost = replace(_cost(sample, planned, wanted, progress), idle_seconds=idle_seconds(wanted))
        used = time.monotonic() - began
        choice = choose(cost, self.seconds, wanted, stated, count, used=used, runs=self.runs)
        chosen = describe(choice, count)
        limited = min(wanted.limit or count, count)
        imprecise = precision(choice, wanted, limited, accuracy=sample.labels is not None)
        progress.say(f"--budget {duration_text(self.seconds)}: {chosen}{f'; {imprecise}' if imprecise else ''}")
        return choice.settings


def _cost(sample: Workload, planned: Sequence[Planned], wanted: Settings, progress: Progress) -> RunCost:
    """Return the costs of a run, with as many workers at the same time as the run has."""
    if wanted.first_round is None:
        return measure_cost(sample, planned, wanted, progress)
    groups = (planned[start : start + AT_ONCE] for start in range(0, len(planned), AT_ONCE))
    costs = [measure_cost(sample, group, wanted, progress) for group in groups]
    return RunCost([each for cost in costs for each in cost.configurations], sum(cost.start_seconds for cost in costs))


def _sample(settings: Settings, build: WorkloadBuilder, total: int | None, progress: Progress) -> Workload:
    """Return a workload of a few images, or of all if a few do not suffice to interpret the models."""
    few = min(settings.limit or SAMPLE, SAMPLE)
    if total is not None and total <= few:
        return build(settings, Silent())
    try:
        return build(msgspec.structs.replace(settings, limit=few), Silent())
    except (BadInput, DatasetError):
        workload = build(settings, progress)  # tests interpretations on many images, which can take minutes
        return workload.selected(np.arange(min(few, len(workload.indices))))
