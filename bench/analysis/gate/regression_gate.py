"""Regression gate for CI: whether a Run is significantly slower or less accurate than another, beyond a limit."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from edge_bench.bench.analysis.comparison.comparison import on_the_same_images
from edge_bench.bench.analysis.gate.pairing import Pair, Pairing
from edge_bench.bench.analysis.labels.agreement import Agreement
from edge_bench.bench.analysis.times.compared_times import Separation, compare_times
from edge_bench.bench.analysis.times.earlier_runs import NO_EARLIER_RUNS, EarlierRuns
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.stats.accuracy import images_needed
from edge_bench.bench.stats.comparisons.limits import beyond_limit, interval_at, limit_confidence, runs_needed
from edge_bench.bench.stats.intervals import CONFIDENCE, Interval, PairedDifference, normal_p_value
from edge_bench.bench.stats.ratios import Ratio, Verdict, verdicts
from edge_bench.bench.stats.student import holm

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
    verdict: Verdict | None = None  # corrected for the number of changes: `verdicts`
    separation: Separation | None = None  # of the Runs of both sides
    accuracy_difference: PairedDifference | None = None  # new minus old, on the images that both classified
    images: int = 0  # that both classified
    accuracy_assumed: bool = False  # whether one of the accuracies depends on an assumption
    failed: bool = False  # whether it was not measured in one of the new Runs
    remark: str = ""  # why a value above is missing


#: Why an accuracy is not judged: it depends on an assumption, or there are no labels.
ASSUMED = "the accuracy is assumed"
UNLABELLED = "the true labels are not known"


class Outcome(StrEnum):
    """Result of one limit, as far as the interval allows a decision."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    NOT_JUDGED = "not judged"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One limit applied to one configuration."""

    configuration: Configuration
    machine: str
    quantity: str  # time · accuracy
    outcome: Outcome
    value: float | None = None  # time ratio, or accuracy difference in percentage points
    interval: Interval | None = None  # of ``value``
    confidence: float = CONFIDENCE  # of ``interval``: 0.90 for times of three or more Runs of each side
    limit: float  # share of the baseline's time, or percentage points of accuracy
    variation: float | None = None  # from run to run, in the interval of a time, as a share of it
    runs_needed: int | None = None  # Runs of each side that decide an undecided time in 80 % of cases; None: over 100
    images: int = 0  # that both classified, for accuracy
    images_needed: int | None = None  # so that an unchanged accuracy passes in 80 % of cases; None: time, or no limit
    remark: str = ""


def changes(pairing: Pairing, earlier: EarlierRuns = NO_EARLIER_RUNS) -> list[Change]:
    """Return the change of each pair, from the old to the new result.

    ``earlier`` Runs are not compared; they show how much a machine varies from run to run.
    """
    found = [_change(pair, earlier) for pair in pairing.pairs]
    judged = verdicts([change.ratio for change in found])
    return [msgspec.structs.replace(change, verdict=each) for change, each in zip(found, judged, strict=True)]


def _change(pair: Pair, earlier: EarlierRuns) -> Change:
    item, base = pair.new, pair.old
    change = Change(
        configuration=item.result.configuration,
        baseline=base.result.configuration,
        machine=item.run.machine.label,
    )
    if pair.failure:
        return msgspec.structs.replace(change, failed=True, remark=pair.failure)
    times = compare_times(item, base, earlier)
    difference, agreement = _least_accurate(item, base)
    return msgspec.structs.replace(
        change,
        ratio=times.ratio,
        separation=times.separation,
        accuracy_difference=difference,
        images=agreement.total if agreement else 0,
        accuracy_assumed=any(each.run.accuracy_assumed for each in (*item.all_runs, *base.all_runs)),
        remark=times.reason,
    )


def _least_accurate(item: RunResult, base: RunResult) -> tuple[PairedDifference | None, Agreement | None]:
    """Return the accuracy difference and agreement of the least accurate of the new Runs with the old one."""
    found = [on_the_same_images(each, base) for each in item.all_runs]
    return min(found, key=lambda each: 0.0 if each[0] is None else each[0].value)


def judge(compared: Sequence[Change], limits: Limits) -> list[Judgement]:
    """Apply each limit to each change.

    A change fails if its whole interval is beyond the limit, corrected for the number of changes (Holm 1979). The
    interval of times is the 90 % interval if there are three or more Runs of each side, otherwise the 95 % interval: if
    no change is beyond the limit, it fails in at most 5 or 2.5 % of cases. The interval of accuracies is the 95 %
    interval. A configuration of the new Run that could not be measured fails. Raise BadInput if a limit could not be
    judged on any configuration, since a gate that has checked nothing must not pass.
    """
    judgements: list[Judgement] = []
    if limits.slower is not None:
        judged = _corrected([_judge_time(change, limits.slower) for change in compared])
        judgements += [_with_runs_needed(judgement, len(judged)) for judgement in judged]
    if limits.accuracy_drop is not None:
        judgements += _corrected([_judge_accuracy(change, limits.accuracy_drop) for change in compared])
    for quantity in dict.fromkeys(judgement.quantity for judgement in judgements):
        group = [judgement for judgement in judgements if judgement.quantity == quantity]
        if all(judgement.outcome is Outcome.NOT_JUDGED for judgement in group):
            raise BadInput(
                f"the gate could judge the {quantity} of no configuration: {group[0].remark}",
                _remedy(group[0]),
            )
    return judgements


def _not_judged(change: Change, quantity: str, limit: float) -> Judgement:
    return Judgement(
        configuration=change.configuration,
        machine=change.machine,
        quantity=quantity,
        outcome=Outcome.NOT_JUDGED,
        limit=limit,
    )


def _judge_time(change: Change, limit: float) -> tuple[Judgement, float]:
    """Return the judgement without correction, and the p-value of "not beyond the limit", which fails below 0.05.

    The p-value is the one-sided one, or twice that if the judgement is by the 95 % interval.
    """
    judgement = _not_judged(change, "time", limit)
    if change.failed:
        return msgspec.structs.replace(judgement, outcome=Outcome.FAILED, remark=change.remark), 0.0
    ratio, separation = change.ratio, change.separation
    confidence = limit_confidence(separation.runs, separation.baseline_runs) if separation else CONFIDENCE
    interval = interval_at(ratio, confidence) if ratio else None
    if ratio is None or interval is None:
        return msgspec.structs.replace(judgement, remark=change.remark or "one process, so no interval"), 1.0
    judged = msgspec.structs.replace(
        judgement,
        outcome=_outcome(beyond=interval.low > 1 + limit, within=interval.high <= 1 + limit),
        value=ratio.value,
        interval=interval,
        confidence=confidence,
        variation=separation.variation if separation else None,
    )
    return judged, beyond_limit(ratio, limit) * 2 * (1 - CONFIDENCE) / (1 - confidence)


def _with_runs_needed(judgement: Judgement, judgements: int) -> Judgement:
    """Return an undecided time with the number of Runs that would decide it as one of ``judgements``."""
    if judgement.outcome is not Outcome.UNDECIDED or judgement.value is None or judgement.variation is None:
        return judgement
    # only failures are corrected for the number of judgements
    error = (1 - CONFIDENCE) / (judgements if judgement.value > 1 + judgement.limit else 1)
    needed = runs_needed(judgement.value, judgement.limit, judgement.variation, error)
    return msgspec.structs.replace(judgement, runs_needed=needed)


def _judge_accuracy(change: Change, limit: float) -> tuple[Judgement, float]:
    """Return the judgement without correction, and the two-sided p-value of "not beyond the limit"."""
    judgement = _not_judged(change, "accuracy", limit)
    if change.failed:
        return msgspec.structs.replace(judgement, outcome=Outcome.FAILED, remark=change.remark), 0.0
    difference = change.accuracy_difference
    if change.accuracy_assumed:
        return msgspec.structs.replace(judgement, remark=ASSUMED), 1.0
    if difference is None:
        remark = UNLABELLED if change.images else "no image was classified in both Runs"
        return msgspec.structs.replace(judgement, remark=remark), 1.0
    points = Interval(100 * difference.interval.low, 100 * difference.interval.high)
    outcome = _outcome(beyond=points.high < -limit, within=points.low >= -limit)
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


def _corrected(judged: Sequence[tuple[Judgement, float]]) -> list[Judgement]:
    """Return the judgements; failures that many judgements at once would give by chance are undecided."""
    adjusted = holm([p for _, p in judged])
    corrected = []
    for (judgement, _), p in zip(judged, adjusted, strict=True):
        by_chance = judgement.outcome is Outcome.FAILED and p >= 1 - CONFIDENCE
        corrected.append(
            msgspec.structs.replace(
                judgement, outcome=Outcome.UNDECIDED, remark=f"undecided as one of {len(judged)} judgements"
            )
            if by_chance
            else judgement
        )
    return corrected


def _outcome(*, beyond: bool, within: bool) -> Outcome:
    if beyond:
        return Outcome.FAILED
    return Outcome.PASSED if within else Outcome.UNDECIDED


def _remedy(judgement: Judgement) -> str:
    if judgement.remark == UNLABELLED:
        return "measure with --labels, or on a folder for each class (docs/models-and-data.md)"
    if judgement.remark == ASSUMED:
        return "state how images and labels are interpreted (docs/interpretation.md), and measure again"
    return "measure both Runs on real machines, with at least two processes each, on the same images"
