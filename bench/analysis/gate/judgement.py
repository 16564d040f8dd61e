"""The changes that the gate judges, and its judgements."""

from enum import StrEnum

import msgspec

from edge_bench.bench.analysis.times.compared_times import Separation
from edge_bench.bench.records.run import CLASSIFY, Configuration
from edge_bench.bench.stats.intervals import CONFIDENCE, Interval, PairedDifference
from edge_bench.bench.stats.ratios import Ratio, Verdict
from edge_bench.bench.tasks.measures import MeasureDifference, TaskAgreement

__all__ = ["TIME", "Change", "Judgement", "Outcome", "not_judged", "outcome_of"]

#: The quantity of a judgement that is not of quality.
TIME = "time"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration, new compared with old."""

    configuration: Configuration
    baseline: Configuration  # of the old Run; another variant if each Run has a single model
    machine: str
    ratio: Ratio | None = None  # new time per image divided by the old one
    verdict: Verdict | None = None  # corrected for the number of changes: `verdicts`
    verdict_reliable: bool | None = None  # whether both sides have reliable times; None: unknown, or no ratio
    no_interval: str = ""  # why ``ratio`` has no interval
    separation: Separation | None = None  # of the Runs of both sides
    accuracy_difference: PairedDifference | None = None  # new minus old, on the images that both classified
    images: int = 0  # that both classified
    accuracy_assumed: bool = False  # whether one of the accuracies depends on an assumption
    task: str = CLASSIFY
    quality_differences: list[MeasureDifference] = []  # of the task's measures, the first of which is judged
    task_agreement: TaskAgreement | None = None  # None for classify
    without_outputs: bool = False  # whether a side has no outputs, although its task is not classify
    failed: bool = False  # whether it was not measured in one of the new Runs
    remark: str = ""  # why a value above is missing


class Outcome(StrEnum):
    """Result of one limit, if the interval is narrow enough to decide it."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    NOT_JUDGED = "not judged"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One limit applied to one configuration."""

    configuration: Configuration
    machine: str
    quantity: str  # time, or the first measure of the task
    outcome: Outcome
    value: float | None = None  # time ratio, or difference of quality in the unit of ``limit``
    interval: Interval | None = None  # of ``value``
    confidence: float = CONFIDENCE  # of ``interval``: 0.90 for times of three or more Runs of each side
    limit: float  # fraction of the baseline's time, percentage points, or percent of the baseline's value
    percent: bool = True  # whether the measure is a percentage; otherwise ``limit`` is relative
    higher_is_better: bool = True
    variation: float | None = None  # from run to run, in the interval of a time, as a fraction of it
    runs_needed: int | None = None  # Runs of each side that decide an undecided time in 80 % of cases; None: over 100
    images: int = 0  # that both have, for quality
    images_needed: int | None = None  # for an unchanged accuracy to pass in 80 % of cases; None: others, or no limit
    corrected: bool = False  # whether it would fail alone, but not as one of several judgements
    remark: str = ""


def not_judged(change: Change, quantity: str, limit: float) -> Judgement:
    """Return the initial judgement of a change, without a result."""
    return Judgement(
        configuration=change.configuration,
        machine=change.machine,
        quantity=quantity,
        outcome=Outcome.NOT_JUDGED,
        limit=limit,
    )


def outcome_of(*, beyond: bool, within: bool) -> Outcome:
    """Return the outcome for an interval that is entirely beyond a limit, entirely within it, or neither."""
    if beyond:
        return Outcome.FAILED
    return Outcome.PASSED if within else Outcome.UNDECIDED
