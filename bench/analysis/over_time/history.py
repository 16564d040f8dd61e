"""Measurements over time: a series for each machine, bundle, configuration and number of images, with its changes."""

from collections.abc import Sequence

import msgspec
import numpy as np

from edge_bench.bench.analysis.over_time.changes import Change, changes, total_change
from edge_bench.bench.analysis.over_time.measured import MeasuredRun, Measurement, Times, measured
from edge_bench.bench.analysis.over_time.order import in_order
from edge_bench.bench.analysis.times.timings import Estimator
from edge_bench.bench.records.run import CLASSIFY, Configuration, Run
from edge_bench.bench.stats.control_chart import ControlChart, Judgement, Mark
from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.stats.ratios import Ratio, Verdict, ratio_from, verdict
from edge_bench.bench.tasks.measures import Measure

__all__ = ["Point", "Series", "history", "not_in_history", "series_of"]

_Judged = tuple[float, Ratio, Verdict | None]  # reference in seconds per image, ratio to it, and verdict


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One Run's measurement of a configuration."""

    run_id: str
    began: str  # UTC, ISO 8601
    images: int  # per pass
    correct: int | None  # correctly classified images; None if there are no true labels
    seen: int  # images that ``correct`` refers to
    quality: Measure | None = None  # first measure of the task, without interval; None if true values are unknown
    accuracy_assumed: bool = False  # whether it depends on an assumption about images or labels
    trials: int
    trusted: bool | None = None  # whether the times of its Run are reliable; None: not known (an older Run)
    unstable: bool = False  # whether its times have a standard deviation of 10 % or more of their mean
    median: float  # of the seconds per image of all trials, by the series' estimator
    interval: Interval | None  # of the median, for this Run alone
    reference: float | None = None  # seconds per image: geometric mean of the Runs that this one is compared with
    ratio: Ratio | None  # ``median`` to ``reference``; its interval is the 95 % prediction interval of one more Run
    mark: Mark | None = None  # None for emulated times
    verdict: Verdict | None  # faster or slower only for the first Run after a step, and the Run where creep was found
    changed: list[str]  # other differences from the previous point, as text

    @property
    def verdict_reliable(self) -> bool | None:
        """Whether the verdict rests on reliable times of this Run; None without a verdict, or if that is not known.

        Those of the Runs before it are not asked for: if they vary, so do the limits.
        """
        if self.verdict is None:
            return None
        return False if self.unstable else self.trusted

    @property
    def expected(self) -> Interval | None:
        """Interval of seconds per image that contains 95 % of unchanged Runs; None with too few Runs."""
        if self.ratio is None or self.ratio.interval is None:
            return None
        return Interval(self.median / self.ratio.interval.high, self.median / self.ratio.interval.low)


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
    total: Ratio | None = None  # of the last Runs to those before the first change, if there are several changes

    @property
    def judged(self) -> bool:
        """Whether there are enough Runs for limits."""
        return any(point.expected is not None for point in self.points)


def history(runs: Sequence[Run]) -> list[Series]:
    """Return the series of `series_of` for whole Runs."""
    return series_of([measured(run) for run in runs])


def series_of(runs: Sequence[MeasuredRun]) -> list[Series]:
    """Group all measured configurations of all Runs into series, and find steps and creep in each.

    A series is sorted by ``began``, by the clock of its machine. Runs of different machines, bundles, tasks, numbers
    of images or measured cores are in different series. Sustained loads are in none. The times are judged by their
    variation between Runs (``bench/stats/control_chart.py``), and only changes beyond 2 % count. Emulated times are
    not judged.
    """
    series: dict[tuple[object, ...], dict[Configuration, list[Measurement]]] = {}
    order: list[list[Measurement]] = []
    for run in in_order([each for each in runs if not each.description.sustained]):
        of_kind = series.setdefault(run.series_key, {})
        for number, configuration in enumerate(run.description.configurations):
            measurements = of_kind.get(configuration)
            if measurements is None:
                order.append(measurements := of_kind.setdefault(configuration, []))
            measurements.append(Measurement(run, number))
    return [_series(measurements) for measurements in order]


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


def _series(measurements: Sequence[Measurement]) -> Series:
    last, of = measurements[-1], measurements[-1].run.description
    typical = [item.result.typical for item in measurements if item.result.typical]
    is_typical = len(typical) == len(measurements)
    times = typical if is_typical else [item.result.whole for item in measurements]
    logs = [each.level for each in times]
    control = ControlChart([] if of.emulated else logs)
    found = changes(control, logs, measurements)
    verdicts = {change.index: change.verdict for change in found}
    points = []
    for index, (item, each) in enumerate(zip(measurements, times, strict=True)):
        judged = None if of.emulated else _judged(logs[index], control.judgements[index], verdicts.get(index))
        mark = None if of.emulated else control.marks[index]
        points.append(_point(item, each, measurements[index - 1] if index else item, judged, mark))
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


def _point(
    current: Measurement, times: Times, previous: Measurement, judged: _Judged | None, mark: Mark | None
) -> Point:
    run, result = current.run, current.result
    reference, ratio, verdict = judged or (None, None, None)
    return Point(
        run_id=run.run_id,
        began=run.began,
        images=run.description.images_per_pass,
        correct=result.correct,
        seen=result.seen,
        quality=result.quality,
        accuracy_assumed=run.description.accuracy_assumed,
        trials=result.trials,
        trusted=run.trusted,
        unstable=result.unstable,
        median=times.median,
        interval=times.interval,
        reference=reference,
        ratio=ratio,
        mark=mark,
        verdict=verdict,
        changed=previous.differences_to(current),
    )


def _judged(log: float, judgement: Judgement, found: Verdict | None) -> _Judged | None:
    """Return the reference, the ratio to it and the verdict of a time; None without a reference."""
    if judgement.reference is None:
        return None
    error, freedom = (judgement.error, judgement.freedom) if judgement.freedom else (None, None)
    ratio = ratio_from(log - judgement.reference, error, freedom)
    alone = None if ratio.interval is None else verdict(ratio)
    if alone in (Verdict.FASTER, Verdict.SLOWER):
        alone = Verdict.UNDECIDED  # a single Run beyond its interval is not yet a change
    return float(np.exp(judgement.reference)), ratio, found or alone
