"""Measurements over time: a series for each machine, bundle, configuration and number of images, with its changes."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from edge_bench.bench.analysis.over_time.changes import Change, changes, total_change
from edge_bench.bench.analysis.over_time.measured import MeasuredRun, Measurement, measured
from edge_bench.bench.analysis.over_time.order import in_order
from edge_bench.bench.analysis.over_time.points import Point
from edge_bench.bench.analysis.times.timings import Estimator
from edge_bench.bench.io.python_process import collection_paused
from edge_bench.bench.records.run import CLASSIFY, Configuration, Run
from edge_bench.bench.stats.chart_records import RULES, Judgement, Mark
from edge_bench.bench.stats.comparisons.early_step import EARLY_RULES
from edge_bench.bench.stats.control_chart import ControlChart
from edge_bench.bench.stats.ratios import Ratio

__all__ = ["Charts", "Point", "Series", "history", "not_in_history", "series_of"]


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """All measurements of a configuration of one bundle on one machine, oldest first."""

    machine: str  # and the cores, if it was measured on some of them
    emulated: bool
    bundle: str  # SHA-256 of its manifest
    dataset: str
    configuration: Configuration
    images: int  # per pass
    resample: int | None = None  # images drawn anew for each trial
    task: str = CLASSIFY
    unit: str = "image"  # one example: image, or inference if the inputs are not images
    estimator: Estimator
    points: list[Point]
    changes: list[Change] = []  # steps and creeps, in the order in which they were found
    of_nights: bool = False  # whether ``changes`` are those that `edge-bench nightly` found
    total: Ratio | None = None  # of the last Runs to those before the first change, if there are several changes

    @property
    def judged(self) -> bool:
        """Whether there are enough Runs for a verdict."""
        if self.of_nights:
            return len(self.points) >= self.least
        return any(point.has_limits for point in self.points)

    @property
    def least(self) -> int:
        """The number of Runs with which a change can be found."""
        return EARLY_RULES.before + 1 if self.of_nights else RULES.minimum + 1


def history(runs: Sequence[Run]) -> list[Series]:
    """Return the series of `series_of` for whole Runs."""
    return series_of([measured(run) for run in runs])


class Charts(Protocol):
    """Charts of series that are kept, so that only new values are judged."""

    def chart(self, series: Sequence[object], logs: Sequence[float]) -> ControlChart:
        """Return the control chart of these values of a series."""


@collection_paused()
def series_of(runs: Sequence[MeasuredRun], charts: Charts | None = None) -> list[Series]:
    """Group all measured configurations of all Runs into series, and find steps and creep in each.

    A series is sorted by ``began``, by the clock of its machine. Runs of different machines, bundles, tasks, numbers
    of images or measured cores are in different series. Sustained loads are in none. The times are judged by their
    variation between Runs (``bench/stats/control_chart.py``), and only changes beyond 2 % count. Emulated times are
    not judged. ``charts`` are those of earlier calls.
    """
    series: dict[tuple[object, ...], list[Measurement]] = {}
    kinds: dict[int, list[list[Measurement]]] = {}  # by description, which many Runs share
    for run in in_order([each for each in runs if not each.description.sustained]):
        of = run.description
        if id(of) not in kinds:
            kinds[id(of)] = [series.setdefault((*run.series_key, each), []) for each in of.configurations]
        for number, measurements in enumerate(kinds[id(of)]):
            measurements.append(Measurement(run, number))
    return [_series(key, measurements, charts) for key, measurements in series.items()]


def not_in_history(runs: Sequence[MeasuredRun]) -> list[str]:
    """Return a note for each Run that is in no series, or with configurations that are not, as they have no times."""
    notes = []
    for run in in_order(runs):
        if run.description.sustained:
            notes.append(f"run {_named(run)} is a sustained load (--duration), and in no series")
        elif run.missing:
            notes.append(f"run {_named(run)} lacks {run.missing}")
    return notes


def _named(run: MeasuredRun) -> str:
    return f"{run.run_id[:8]} of {run.began[:16].replace('T', ' ')}"


def _series(key: Sequence[object], measurements: Sequence[Measurement], charts: Charts | None) -> Series:
    last, of = measurements[-1], measurements[-1].run.description
    typical = [item.result.typical for item in measurements if item.result.typical]
    is_typical = len(typical) == len(measurements)
    times = typical if is_typical else [item.result.whole for item in measurements]
    logs = [each.level for each in times]
    judged = [] if of.emulated else logs
    control = charts.chart((*key, is_typical), judged) if charts else ControlChart(judged)
    found = changes(control, logs, measurements)
    verdicts = {change.index: change.verdict for change in found}
    judgements: Sequence[Judgement | None] = control.judgements or [None] * len(logs)
    marks: Sequence[Mark | None] = control.marks or [None] * len(logs)
    previous = [None, *measurements[:-1]]
    points = [
        Point(*each, verdicts.get(index))
        for index, each in enumerate(zip(measurements, previous, times, judgements, marks, strict=True))
    ]
    return Series(
        machine=of.machine,
        emulated=of.emulated,
        bundle=of.bundle,
        dataset=of.dataset,
        configuration=of.configurations[last.number],
        images=of.images_per_pass,
        resample=of.resample,
        task=of.task,
        unit=of.unit,
        estimator=Estimator.TYPICAL if is_typical else Estimator.WHOLE,
        points=points,
        changes=found,
        total=total_change(control, logs),
    )
