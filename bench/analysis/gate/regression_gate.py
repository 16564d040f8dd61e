"""Regression gate for CI: whether a Run is significantly slower or less accurate than another, beyond a limit."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from edge_bench.bench.analysis.comparison.comparison import on_the_same_images
from edge_bench.bench.analysis.gate.pairing import Pairing
from edge_bench.bench.analysis.times.timings import RunResult, time_ratio
from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.stats.intervals import Interval, PairedDifference
from edge_bench.bench.stats.ratios import Ratio, Verdict, verdict

__all__ = ["Change", "Judgement", "Limits", "Outcome", "changes", "judge"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the gate; None means no limit."""

    slower: float | None = None  # as a share of the baseline's time: 0.05 is 5 %
    accuracy_drop: float | None = None  # percentage points

    def __bool__(self) -> bool:
        return self.slower is not None or self.accuracy_drop is not None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration, new compared with old."""

    configuration: Configuration
    baseline: Configuration  # of the old Run; another variant if each Run has a single model
    machine: str
    ratio: Ratio | None = None  # new time per image divided by the old one
    verdict: Verdict | None = None
    accuracy_difference: PairedDifference | None = None  # new minus old, on the images that both classified
    accuracy_assumed: bool = False  # whether one of the accuracies depends on an assumption
    remark: str = ""  # why a value above is missing


#: Why an accuracy is not judged that depends on an assumption.
ASSUMED = "the accuracy is assumed"


class Outcome(StrEnum):
    """Result of one limit, as far as the interval allows a decision."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    NOT_JUDGED = "not judged"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One limit applied to one configuration."""

    configuration: Configuration
    quantity: str  # time · accuracy
    outcome: Outcome
    value: float | None = None  # time ratio, or accuracy difference in percentage points
    interval: Interval | None = None  # of ``value``
    limit: float  # share of the baseline's time, or percentage points of accuracy
    remark: str = ""


def changes(pairing: Pairing) -> list[Change]:
    """Return the change of each pair, from the old to the new result."""
    return [_change(new, old) for new, old in pairing.pairs]


def _change(item: RunResult, base: RunResult) -> Change:
    change = Change(
        configuration=item.result.configuration,
        baseline=base.result.configuration,
        machine=item.run.machine.label,
    )
    if not item.result.trials:
        failure = item.result.failure
        return msgspec.structs.replace(change, remark=failure.message if failure else "not measured")
    ratio, remark = time_ratio(item, base)
    return msgspec.structs.replace(
        change,
        ratio=ratio,
        verdict=verdict(ratio) if ratio else None,
        accuracy_difference=on_the_same_images(item, base)[0],
        accuracy_assumed=item.run.accuracy_assumed or base.run.accuracy_assumed,
        remark=remark if ratio is None else "",
    )


def judge(compared: Sequence[Change], limits: Limits) -> list[Judgement]:
    """Apply each limit to each change; it fails only if the whole interval is beyond the limit.

    A configuration of the new Run that could not be measured fails. Raise BadInput if a limit could not be judged on
    any configuration, since a gate that has checked nothing must not pass.
    """
    judgements = []
    for change in compared:
        not_measured = change.ratio is None and change.accuracy_difference is None
        if limits.slower is not None:
            judgements.append(_judge_time(change, limits.slower, failed=not_measured))
        if limits.accuracy_drop is not None:
            judgements.append(_judge_accuracy(change, limits.accuracy_drop, failed=not_measured))
    for quantity in dict.fromkeys(judgement.quantity for judgement in judgements):
        group = [judgement for judgement in judgements if judgement.quantity == quantity]
        if all(judgement.outcome is Outcome.NOT_JUDGED for judgement in group):
            raise BadInput(
                f"the gate could judge the {quantity} of no configuration: {group[0].remark}",
                _remedy(group[0]),
            )
    return judgements


def _judge_time(change: Change, limit: float, *, failed: bool) -> Judgement:
    judgement = Judgement(configuration=change.configuration, quantity="time", outcome=Outcome.NOT_JUDGED, limit=limit)
    if failed:
        return msgspec.structs.replace(judgement, outcome=Outcome.FAILED, remark=change.remark)
    if change.ratio is None or change.ratio.interval is None:
        return msgspec.structs.replace(judgement, remark=change.remark or "one process, so no interval")
    interval = change.ratio.interval
    outcome = _outcome(beyond=interval.low > 1 + limit, within=interval.high <= 1 + limit)
    return msgspec.structs.replace(judgement, outcome=outcome, value=change.ratio.value, interval=interval)


def _judge_accuracy(change: Change, limit: float, *, failed: bool) -> Judgement:
    judgement = Judgement(
        configuration=change.configuration, quantity="accuracy", outcome=Outcome.NOT_JUDGED, limit=limit
    )
    if failed:
        return msgspec.structs.replace(judgement, outcome=Outcome.FAILED, remark=change.remark)
    difference = change.accuracy_difference
    if change.accuracy_assumed:
        return msgspec.structs.replace(judgement, remark=ASSUMED)
    if difference is None:
        return msgspec.structs.replace(judgement, remark="no image was classified in both Runs")
    points = Interval(100 * difference.interval.low, 100 * difference.interval.high)
    outcome = _outcome(beyond=points.high < -limit, within=points.low >= -limit)
    return msgspec.structs.replace(judgement, outcome=outcome, value=100 * difference.value, interval=points)


def _outcome(*, beyond: bool, within: bool) -> Outcome:
    if beyond:
        return Outcome.FAILED
    return Outcome.PASSED if within else Outcome.UNDECIDED


def _remedy(judgement: Judgement) -> str:
    if judgement.remark == ASSUMED:
        return "state how images and labels are interpreted (docs/interpretation.md), and measure again"
    return "measure both Runs on real machines, with at least two processes each, on the same images"
