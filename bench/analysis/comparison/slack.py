"""The paper's slack: the maximum cost of offloading the original before running the light model locally is faster."""

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from edge_bench.bench.analysis.times.compared_times import compare_times
from edge_bench.bench.analysis.times.differences import seconds_apart
from edge_bench.bench.analysis.times.earlier_runs import NO_EARLIER_RUNS, EarlierRuns
from edge_bench.bench.analysis.times.machines import machine_key, run_place
from edge_bench.bench.analysis.times.timings import RunResult, common_estimator, seconds_of, seconds_per_image
from edge_bench.bench.records.bundle import LIGHT, ORIGINAL
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.stats.comparisons.shifts import Shift, interleaved_shift, rests_on_outlier, unpaired_shift
from edge_bench.bench.stats.intervals import Interval, Values, difference_of_means
from edge_bench.bench.stats.student import t_quantile

__all__ = ["Slack", "slack_between", "slacks_of"]


class Slack(msgspec.Struct, frozen=True, kw_only=True):
    """The light model's time for a pass minus the original's for as many images.

    ``seconds`` is the difference of typical times: the median of all differences between a trial of the light model and
    one of the original. ``mean_seconds`` is the difference of the mean times of whole passes, as in the paper.
    """

    light: Configuration
    light_machine: str
    light_run: str = ""  # id of its Run, or of the first of its repeats, as in `Row.run_id`
    original: Configuration
    original_machine: str
    original_run: str = ""
    same_run: bool
    same_machine: bool
    images: int  # images per pass of the light configuration
    unit: str = "image"  # name of one of them
    seconds: float  # difference of typical times
    interval: Interval | None  # of ``seconds``; None: one process. Between Runs, it includes ``variation``
    variation: float | None = None  # between Runs, in ``interval``, as a fraction of the time; None: within a Run
    mean_seconds: float  # difference of mean times
    mean_interval: Interval | None  # of ``mean_seconds``; None: one process, or the mean depends on an outlier
    mean_rests_on_outlier: bool  # whether single trials determine one of the two means


def slacks_of(measured: Sequence[RunResult], earlier: EarlierRuns = NO_EARLIER_RUNS) -> list[Slack]:
    """Return the slacks of every light configuration whose times are not emulated, in the order of ``measured``.

    The original is that of the same Run, otherwise of the same machine's Run that is nearest in time. If another
    machine also has an original of the same bundle, it is a possible target of an offload. A second slack is then
    against the fastest of those. A Run with several originals is represented by the one with the same batch size and
    threads as the light configuration, otherwise by its first.
    """
    real = [item for item in measured if not item.run.emulated and item.result.trials]
    originals = [item for item in real if item.role == ORIGINAL]
    slacks = []
    for item in real:
        if item.role == LIGHT:
            of_bundle = [each for each in originals if each.run.bundle.sha256 == item.run.bundle.sha256]
            slacks += [slack_between(item, original, earlier) for original in _chosen(item, of_bundle)]
    return slacks


def _chosen(light: RunResult, originals: Sequence[RunResult]) -> list[RunResult]:
    """Return the original on the light configuration's own machine, then the one on another machine, if they exist."""
    by_run: dict[int, list[RunResult]] = {}
    for original in originals:
        by_run.setdefault(id(original.run), []).append(original)
    representatives = [max(each, key=lambda original: _similarity(light, original)) for each in by_run.values()]
    own = machine_key(light.run.machine)
    here = [each for each in representatives if machine_key(each.run.machine) == own]
    elsewhere = [each for each in representatives if machine_key(each.run.machine) != own]
    nearest = sorted(here, key=lambda original: (original.run is not light.run, _distance(light, original)))
    fastest = sorted(elsewhere, key=lambda original: float(np.median(original.result.pass_seconds())) / original.images)
    return nearest[:1] + fastest[:1]


def _similarity(light: RunResult, original: RunResult) -> tuple[bool, bool]:
    first, second = light.result.configuration, original.result.configuration
    return first.batch_size == second.batch_size, first.threads == second.threads


def _distance(light: RunResult, original: RunResult) -> float:
    apart = seconds_apart(light.run, original.run)
    return math.inf if apart is None else apart


def slack_between(light: RunResult, original: RunResult, earlier: EarlierRuns = NO_EARLIER_RUNS) -> Slack:
    """Return the slack of a light configuration against an original. Both need trials.

    Within one Run, the interval of the typical times' difference is from interleaved processes. Otherwise it is
    Welch's plus the variation from run to run, known or assumed. That of the means is always Welch's, over processes.
    """
    same_run = light.run is original.run
    typical, variation = _typical_difference(light, original, earlier)
    whole, other_whole = seconds_per_image(light), seconds_per_image(original)
    mean, mean_interval = difference_of_means(whole, other_whole)
    unsafe = any(rests_on_outlier(np.concatenate(side)) for side in (whole, other_whole))
    return Slack(
        light=light.result.configuration,
        light_machine=run_place(light.run),
        light_run=light.run.run_id,
        original=original.result.configuration,
        original_machine=run_place(original.run),
        original_run=original.run.run_id,
        same_run=same_run,
        same_machine=same_run or machine_key(light.run.machine) == machine_key(original.run.machine),
        images=light.images,
        unit=light.run.unit,
        seconds=typical.value * light.images,
        interval=_scaled(typical.interval, light.images),
        variation=variation,
        mean_seconds=mean * light.images,
        mean_interval=None if unsafe else _scaled(mean_interval, light.images),
        mean_rests_on_outlier=unsafe,
    )


def _typical_difference(light: RunResult, original: RunResult, earlier: EarlierRuns) -> tuple[Shift, float | None]:
    """Return the difference of the typical times per image, in seconds, and the variation between Runs in it."""
    estimator = common_estimator([light, original])
    first, second = seconds_of(light, estimator), seconds_of(original, estimator)
    shared = sorted(first.keys() & second.keys())
    if light.run is original.run and shared:
        return interleaved_shift(_per_image(first, shared, light), _per_image(second, shared, original)), None
    sides = _per_image(first, sorted(first), light), _per_image(second, sorted(second), original)
    shift = unpaired_shift(*sides)
    separation = compare_times(light, original, earlier).separation
    if shift.interval is None or separation is None:
        return shift, None
    levels = [float(np.median(np.concatenate(side))) for side in sides]
    between = t_quantile(math.inf) * separation.variation * math.hypot(*levels)
    half = math.hypot((shift.interval.high - shift.interval.low) / 2, between)
    return Shift(shift.value, Interval(shift.value - half, shift.value + half)), separation.variation


def _per_image(table: Mapping[int, Mapping[int, float]], processes: Sequence[int], item: RunResult) -> list[Values]:
    return [np.array(list(table[process].values())) / item.images for process in processes]


def _scaled(interval: Interval | None, factor: int) -> Interval | None:
    return interval and Interval(interval.low * factor, interval.high * factor)
