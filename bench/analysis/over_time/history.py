"""Measurements over time: a series for each machine, bundle, configuration and number of images, with its changes."""

from collections.abc import Sequence

import msgspec
import numpy as np

from edge_bench.bench.analysis.over_time.changes import Change, changes, differences_between, total_change
from edge_bench.bench.analysis.over_time.order import in_order
from edge_bench.bench.analysis.quality.scored import first_measure
from edge_bench.bench.analysis.times.machines import machine_key, machine_name, on_cores
from edge_bench.bench.analysis.times.reliability import is_unstable, trusted
from edge_bench.bench.analysis.times.timings import Estimator, RunResult, seconds_per_image
from edge_bench.bench.records.run import CLASSIFY, Configuration, Run
from edge_bench.bench.stats.control_chart import ControlChart, Judgement, Mark
from edge_bench.bench.stats.intervals import Interval, Values, median, median_interval_over_processes
from edge_bench.bench.stats.ratios import Ratio, Verdict, ratio_from, verdict
from edge_bench.bench.tasks.measures import Measure

__all__ = ["Point", "Series", "history", "not_in_history"]


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
    processes: int = 0  # that made the trials
    failure: str = ""  # its kind if the configuration failed after these trials
    trusted: bool | None = None  # whether the times of its Run are reliable; None: not known (an older Run)
    unstable: bool = False  # whether its times have a standard deviation of 10 % or more of their mean
    image_seconds: list[float]  # seconds per image by the series' estimator, one value per trial
    median: float  # of ``image_seconds``
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
    """Group all measured configurations of all Runs into series, and find steps and creep in each.

    A series is sorted by ``began``, by the clock of its machine. Runs of different machines, bundles, tasks, numbers
    of images or measured cores are in different series. Sustained loads are in none. The times are judged by their
    variation between Runs (``bench/stats/control_chart.py``), and only changes beyond 2 % count. Emulated times are
    not judged.
    """
    series: dict[tuple[object, ...], list[RunResult]] = {}
    for run in in_order([each for each in runs if not each.settings.sustained]):
        measured = (machine_key(run.machine), run.emulated, run.bundle.sha256, run.task, run.images_per_pass)
        for result in run.results_with_trials:
            key = (*measured, run.settings.resample, run.settings.cpus, result.configuration)
            series.setdefault(key, []).append(RunResult(run, result))
    return [_series(measurements) for measurements in series.values()]


def not_in_history(runs: Sequence[Run]) -> list[str]:
    """Return a note for each Run that is in no series, or with configurations that are not, as they have no times."""
    notes = []
    for run in in_order(runs):
        if run.settings.sustained:
            notes.append(f"run {_named(run)} is a sustained load (--duration), and in no series")
            continue
        missing = [result for result in run.expected_results if not result.trials]
        reasons = dict.fromkeys(
            f"{result.configuration}: {result.failure.message if result.failure else 'not measured'}"
            for result in missing
        )
        if reasons:
            notes.append(f"run {_named(run)} lacks {'; '.join(reasons)}")
    return notes


def _named(run: Run) -> str:
    return f"{run.run_id[:8]} of {run.began[:16].replace('T', ' ')}"


def _series(measurements: Sequence[RunResult]) -> Series:
    run, result = measurements[-1].run, measurements[-1].result
    typical = _typical_seconds(measurements)
    seconds = typical or [seconds_per_image(item) for item in measurements]
    logs = [float(np.log(np.median(np.concatenate(processes)))) for processes in seconds]
    control = ControlChart([] if run.emulated else logs)
    found = changes(control, logs, measurements)
    verdicts = {change.index: change.verdict for change in found}
    points = []
    for index, (item, processes) in enumerate(zip(measurements, seconds, strict=True)):
        point = _point(item, processes, measurements[index - 1] if index else None)
        if not run.emulated:
            judged = (logs[index], control.judgements[index], control.marks[index])
            point = _judged(point, *judged, verdicts.get(index))
        points.append(point)
    return Series(
        machine=on_cores(machine_name(run.machine), run.settings.cpus),
        emulated=run.emulated,
        bundle=run.bundle.sha256,
        dataset=run.bundle.dataset,
        configuration=result.configuration,
        images=run.images_per_pass,
        resample=run.settings.resample,
        task=run.task,
        unit=run.unit,
        estimator=Estimator.TYPICAL if typical else Estimator.WHOLE,
        points=points,
        changes=found,
        total=total_change(control, logs),
    )


def _typical_seconds(measurements: Sequence[RunResult]) -> list[list[Values]] | None:
    """Return typical seconds per image by process for each Run; None unless each has enough latencies above zero."""
    if not all(item.has_typical for item in measurements):
        return None
    seconds = [
        [np.array(list(rounds.values())) / item.images for _, rounds in sorted(item.typical_seconds().items())]
        for item in measurements
    ]
    return seconds if all((process > 0).all() for processes in seconds for process in processes) else None


def _point(current: RunResult, processes: Sequence[Values], previous: RunResult | None) -> Point:
    """Return the point without a judgement."""
    run, result = current.run, current.result
    seconds = np.concatenate(processes)
    correct, seen = run.correct(result) if run.scored(result) else (None, run.images_per_pass)
    return Point(
        run_id=run.run_id,
        began=run.began,
        images=run.images_per_pass,
        correct=correct,
        seen=seen,
        quality=first_measure(run, result, intervals=False),
        accuracy_assumed=run.accuracy_assumed,
        trials=len(result.trials),
        processes=len(processes),
        failure=result.failure.kind if result.failure else "",
        trusted=trusted([run]),
        unstable=is_unstable(result),
        image_seconds=[float(value) for value in seconds],
        median=median(seconds),
        interval=median_interval_over_processes(processes),
        ratio=None,
        verdict=None,
        changed=differences_between(previous, current) if previous else [],
    )


def _judged(point: Point, log: float, judgement: Judgement, mark: Mark, found: Verdict | None) -> Point:
    if judgement.reference is None:
        return msgspec.structs.replace(point, mark=mark)
    error, freedom = (judgement.error, judgement.freedom) if judgement.freedom else (None, None)
    ratio = ratio_from(log - judgement.reference, error, freedom)
    alone = None if ratio.interval is None else verdict(ratio)
    if alone in (Verdict.FASTER, Verdict.SLOWER):
        alone = Verdict.UNDECIDED  # a single Run beyond its interval is not yet a change
    reference = float(np.exp(judgement.reference))
    return msgspec.structs.replace(point, reference=reference, ratio=ratio, mark=mark, verdict=found or alone)
