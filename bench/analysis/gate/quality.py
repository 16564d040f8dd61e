"""The gate's judgement of quality: accuracy, or the first measure of another task."""

import msgspec

from edge_bench.bench.analysis.gate.judgement import TIME, Change, Judgement, Outcome, not_judged, outcome_of
from edge_bench.bench.analysis.quality.scored import ACCURACY
from edge_bench.bench.records.run import CLASSIFY
from edge_bench.bench.stats.accuracy import MIN_DISCORDANT, images_needed
from edge_bench.bench.stats.bootstrap import MIN_EXAMPLES
from edge_bench.bench.stats.intervals import Interval, normal_p_value
from edge_bench.bench.tasks.measures import MeasureDifference
from edge_bench.bench.tasks.tensors.task import TENSOR
from edge_bench.bench.wording import counted

__all__ = ["judge_quality", "remedy_for"]

#: Why a quality is not judged: it depends on an assumption, or there are no true values.
ASSUMED = "the accuracy is assumed"
UNLABELLED = "the true labels are unknown"
UNKNOWN = "the true values are unknown"
WITHOUT_MEASURE = "the task tensor has no measure of quality"


def judge_quality(change: Change, limit: float) -> tuple[Judgement, float]:
    """Return the judgement without correction, and the two-sided p-value of "not beyond the limit"."""
    return _judge_accuracy(change, limit) if change.task == CLASSIFY else _judge_measure(change, limit)


def _judge_accuracy(change: Change, limit: float) -> tuple[Judgement, float]:
    """Return the judgement without correction, and the two-sided p-value of "not beyond the limit"."""
    judgement = not_judged(change, ACCURACY, limit)
    if change.failed:
        return msgspec.structs.replace(judgement, outcome=Outcome.FAILED, remark=change.remark), 0.0
    difference = change.accuracy_difference
    if change.accuracy_assumed:
        return msgspec.structs.replace(judgement, remark=ASSUMED), 1.0
    if difference is None:
        remark = UNLABELLED if change.images else "no image was classified in both Runs"
        return msgspec.structs.replace(judgement, remark=remark), 1.0
    points = Interval(100 * difference.interval.low, 100 * difference.interval.high)
    outcome = outcome_of(beyond=points.high < -limit, within=points.low >= -limit)
    p = normal_p_value(points, -limit)
    discordant = difference.only_first + difference.only_second
    judged = msgspec.structs.replace(
        judgement,
        outcome=outcome,
        value=100 * difference.value,
        interval=points,
        images=change.images,
        images_needed=images_needed(limit, discordant / change.images) if limit else None,
    )
    return judged, p


def _judge_measure(change: Change, limit: float) -> tuple[Judgement, float]:
    """Judge the first measure of a task: in percentage points, or in percent of the baseline's value."""
    difference = next(iter(change.quality_differences), None)
    judgement = not_judged(change, difference.name if difference else "quality", limit)
    if change.failed:
        return msgspec.structs.replace(judgement, outcome=Outcome.FAILED, remark=change.remark), 0.0
    if difference and difference.value is None and difference.baseline is not None:
        # the baseline has a value, so outputs that are not finite are worse than any drop
        return msgspec.structs.replace(judgement, outcome=Outcome.FAILED, remark=difference.remark), 0.0
    if remark := _why_not(change, difference):
        return msgspec.structs.replace(judgement, remark=remark), 1.0
    if difference is None or difference.value is None or difference.interval is None:
        raise ValueError("a measure without an interval is not judged")
    scale = 100.0 if difference.percent else 100 / (difference.baseline or 1.0)
    shown = Interval(scale * difference.interval.low, scale * difference.interval.high)
    gain = shown if difference.higher_is_better else Interval(-shown.high, -shown.low)
    few = difference.differing is not None and 0 < difference.differing < MIN_DISCORDANT
    judged = msgspec.structs.replace(
        judgement,
        outcome=outcome_of(beyond=gain.high < -limit, within=gain.low >= -limit),
        value=scale * difference.value,
        interval=shown,
        percent=difference.percent,
        higher_is_better=difference.higher_is_better,
        images=change.images,
    )
    if few:  # resamples of few differing examples underestimate the variation
        noun = "example" if difference.differing == 1 else "examples"
        remark = f"only {difference.differing} {noun} of {change.images:,} differ, too few to decide"
        judged = msgspec.structs.replace(judged, outcome=Outcome.UNDECIDED, remark=remark)
    return judged, normal_p_value(gain, -limit)


def _why_not(change: Change, difference: MeasureDifference | None) -> str:
    """Return why a measure is not judged, or an empty string."""
    missing = WITHOUT_MEASURE if change.task == TENSOR.name else UNKNOWN
    reasons = [(change.accuracy_assumed, ASSUMED), (change.without_outputs, "the outputs of a side were not recorded")]
    if difference is None:
        return next((reason for is_so, reason in reasons if is_so), missing)
    reasons += [
        (difference.value is None, difference.remark),
        (difference.interval is None, f"{counted(change.images, 'example')}, but an interval needs {MIN_EXAMPLES}"),
        (
            not difference.percent and not difference.baseline,
            f"the baseline's {difference.name} is 0, so a limit in percent of it is undefined",
        ),
    ]
    return next((reason for is_so, reason in reasons if is_so), "")


def remedy_for(judgement: Judgement) -> str:
    """Return the remedy if a limit could not be judged on any configuration."""
    remedies = {
        UNLABELLED: "measure with --labels, or on a folder per class (docs/models-and-data.md)",
        UNKNOWN: "measure with --labels (docs/tasks.md)",
        ASSUMED: "set how images and labels are interpreted (docs/interpretation.md), and measure again",
        WITHOUT_MEASURE: "set the task with --task, name true values with --labels, and measure again",
    }
    default = "measure both Runs on real machines, with at least two processes each, on the same images"
    if judgement.quantity not in (TIME, ACCURACY):
        default = "measure both Runs on the same examples, at least 30, with finite outputs"
    return remedies.get(judgement.remark, default)
