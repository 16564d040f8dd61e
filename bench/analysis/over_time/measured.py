"""What `history` needs of a Run, derived from it once: a few numbers per configuration instead of all latencies.

A `MeasuredRun` takes about 2 kB, of which most is in parts that many Runs share, and can be kept on disk.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from edge_bench.bench.analysis.labels.same_images import Pixels, pixels_of
from edge_bench.bench.analysis.quality.scored import first_measure
from edge_bench.bench.analysis.times.differences import (
    Conditions,
    Readings,
    conditions_of,
    differences_over_time,
    readings_of,
)
from edge_bench.bench.analysis.times.earlier_runs import EarlierResult, earlier_key
from edge_bench.bench.analysis.times.machines import machine_key, machine_name, on_cores
from edge_bench.bench.analysis.times.reliability import is_unstable, trusted
from edge_bench.bench.analysis.times.timings import RunResult, per_image, seconds_per_image
from edge_bench.bench.records.run import Configuration, Result, Run
from edge_bench.bench.stats.comparisons.separate_runs import level_of
from edge_bench.bench.stats.intervals import Interval, Values, median, median_interval_over_processes
from edge_bench.bench.tasks.measures import Measure

__all__ = ["Description", "MeasuredResult", "MeasuredRun", "Measurement", "Times", "earlier_results", "measured"]


class Times(msgspec.Struct, frozen=True, array_like=True):
    """Seconds per image of a result's trials."""

    median: float
    level: float  # its logarithm
    low: float | None = None  # interval of the median, for this Run alone
    high: float | None = None

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the median."""
        return None if self.low is None or self.high is None else Interval(self.low, self.high)


class MeasuredResult(msgspec.Struct, frozen=True, array_like=True):
    """The measurements of a configuration."""

    trials: int
    processes: int  # that made the trials
    failure: str  # its kind if the configuration failed after these trials
    correct: int | None  # correctly classified images; None if there are no true labels
    seen: int  # images that ``correct`` refers to
    quality: Measure | None  # first measure of the task, without interval; None if true values are unknown
    unstable: bool  # whether its times have a standard deviation of 10 % or more of their mean
    readings: Readings
    whole: Times  # of whole passes
    typical: Times | None  # of typical invocations; None with too few of them in a trial, or with a time of zero

    def level(self, typical: bool) -> float | None:
        """Return the logarithm of the seconds per image, of typical invocations or of whole passes."""
        times = self.typical if typical else self.whole
        return None if times is None else times.level


class Description(msgspec.Struct, frozen=True, array_like=True):
    """What was measured, where and how: the same for many Runs."""

    machine_key: tuple[str, ...]
    hostname: str
    machine: str  # its name, and the cores, if it was measured on some of them
    emulated: bool
    bundle: str  # SHA-256 of its manifest
    dataset: str
    task: str
    unit: str  # one example: image, or inference if the inputs are not images
    images_per_pass: int
    resample: int | None
    cpus: str
    sustained: bool
    accuracy_assumed: bool  # whether accuracy or quality depends on an assumption about images or labels
    configurations: tuple[Configuration, ...]  # those with trials
    conditions: tuple[Conditions, ...]  # one for each of them
    delegates: tuple[str | None, ...]  # SHA-256 of their libraries


class MeasuredRun(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a Run."""

    run_id: str
    began: str  # UTC, ISO 8601
    ended: str
    complete: bool
    trusted: bool | None  # whether its times are reliable; None: not known (an older Run)
    trials: int  # of all configurations
    missing: str  # the configurations without times, and why; empty if none is
    repeat_group: str
    description: Description
    pixels: Pixels
    results: tuple[MeasuredResult, ...]  # one for each of ``description.configurations``
    night: int | None = None  # number of the night in which `edge-bench nightly` made it
    order: str = ""  # time by which it is sorted, if that is not when it began; UTC, ISO 8601

    @property
    def series_key(self) -> tuple[object, ...]:
        """What Runs share that may be in one series, except the configuration."""
        of = self.description
        return of.machine_key, of.emulated, of.bundle, of.task, of.images_per_pass, of.resample, of.cpus


class Measurement:
    """A configuration of a Run, as a part of a series."""

    __slots__ = ("number", "result", "run")

    def __init__(self, run: MeasuredRun, number: int) -> None:
        """``number`` is the position among ``run.results``."""
        self.run, self.number, self.result = run, number, run.results[number]

    def differences_to(self, later: "Measurement") -> list[str]:
        """Return the differences from this measurement to a later one, other than their dates, as phrases."""
        return [] if self.run is later.run else differences_over_time(self._state, later._state)

    @property
    def _state(self) -> tuple[Conditions, Readings, Pixels]:
        return self.run.description.conditions[self.number], self.result.readings, self.run.pixels


def measured(run: Run) -> MeasuredRun:
    """Return what is kept of a Run."""
    results = run.results_with_trials
    return MeasuredRun(
        run_id=run.run_id,
        began=run.began,
        ended=run.ended,
        complete=run.complete,
        trusted=trusted([run]),
        trials=sum(len(result.trials) for result in results),
        missing=_missing(run),
        repeat_group=run.repeat_group,
        description=_description(run, results),
        pixels=pixels_of(run),
        results=tuple(_measured_result(run, result) for result in results),
    )


def _description(run: Run, results: Sequence[Result]) -> Description:
    settings = run.settings
    return Description(
        machine_key(run.machine),
        run.machine.hostname,
        on_cores(machine_name(run.machine), settings.cpus),
        run.emulated,
        run.bundle.sha256,
        run.bundle.dataset,
        run.task,
        run.unit,
        run.images_per_pass,
        settings.resample,
        settings.cpus,
        settings.sustained is not None,
        run.accuracy_assumed,
        tuple(result.configuration for result in results),
        tuple(conditions_of(run, result) for result in results),
        tuple(result.delegate_library.sha256 if result.delegate_library else None for result in results),
    )


def _measured_result(run: Run, result: Result) -> MeasuredResult:
    item = RunResult(run, result)
    correct, seen = run.correct(result) if run.scored(result) else (None, run.images_per_pass)
    typical = per_image(item.typical_seconds(), item.images) if item.has_typical else []
    whole = seconds_per_image(item)
    return MeasuredResult(
        len(result.trials),
        len(whole),
        result.failure.kind if result.failure else "",
        correct,
        seen,
        first_measure(run, result, intervals=False),
        is_unstable(result),
        readings_of(run, result),
        _times(whole),
        _times(typical) if typical and all((process > 0).all() for process in typical) else None,
    )


def _times(processes: Sequence[Values]) -> Times:
    interval = median_interval_over_processes(processes)
    ends = (interval.low, interval.high) if interval else (None, None)
    return Times(median(np.concatenate(processes)), level_of(processes), *ends)


def _missing(run: Run) -> str:
    reasons = dict.fromkeys(
        f"{result.configuration}: {result.failure.message if result.failure else 'not measured'}"
        for result in run.expected_results
        if not result.trials
    )
    return "; ".join(reasons)


def earlier_results(run: MeasuredRun) -> list[EarlierResult]:
    """Return the times of a Run that show how much its configurations vary from run to run."""
    of = run.description
    if of.sustained:
        return []
    return [
        EarlierResult(
            earlier_key(
                (of.machine_key, of.bundle, of.images_per_pass, of.resample, of.cpus),
                configuration,
                (conditions.runtime[1], delegate),
            ),
            run.run_id,
            result.trials,
            result.level,
        )
        for configuration, conditions, delegate, result in zip(
            of.configurations, of.conditions, of.delegates, run.results, strict=True
        )
    ]
