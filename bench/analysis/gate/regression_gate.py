"""Regression gate for CI: whether a Run is significantly slower or of lower quality than another, beyond a limit."""

import math
from collections.abc import Sequence

import msgspec

from edge_bench.bench.analysis.gate.judgement import TIME, Change, Judgement, Outcome, not_judged, outcome_of
from edge_bench.bench.analysis.gate.pairing import Pair, Pairing
from edge_bench.bench.analysis.gate.quality import judge_quality, remedy_for
from edge_bench.bench.analysis.labels.agreement import Agreement
from edge_bench.bench.analysis.quality.paired import on_the_same_images
from edge_bench.bench.analysis.quality.scored import accuracy_difference_of, agreement_of_outputs, differences_of
from edge_bench.bench.analysis.times.compared_times import compare_times
from edge_bench.bench.analysis.times.earlier_runs import NO_EARLIER_RUNS, EarlierRuns
from edge_bench.bench.analysis.times.machines import run_place
from edge_bench.bench.analysis.times.reliability import verdict_reliable
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.run import CLASSIFY
from edge_bench.bench.stats.comparisons.limits import beyond_limit, interval_at, limit_confidence, runs_needed
from edge_bench.bench.stats.intervals import CONFIDENCE, PairedDifference
from edge_bench.bench.stats.ratios import verdicts
from edge_bench.bench.stats.student import holm
from edge_bench.bench.tasks.measures import MeasureDifference
from edge_bench.bench.tasks.scores.tasks import BINARY

__all__ = ["Change", "Judgement", "Limits", "Outcome", "changes", "judge"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the gate. None means no limit."""

    slower: float | None = None  # as a fraction of the baseline's time: 0.05 is 5 %
    accuracy_drop: float | None = None  # percentage points
    # of the task's first measure: percentage points, or percent of the baseline's value if it is not a percentage
    quality_drop: float | None = None

    def __bool__(self) -> bool:
        return self.slower is not None or self.quality is not None

    @property
    def quality(self) -> float | None:
        """The limit on accuracy, or on the first measure of another task."""
        return self.accuracy_drop if self.quality_drop is None else self.quality_drop


def changes(pairing: Pairing, earlier: EarlierRuns = NO_EARLIER_RUNS) -> list[Change]:
    """Return the change of each pair, from the old to the new result.

    ``earlier`` Runs are not compared. They show how much a machine varies from run to run.
    """
    found = [_change(pair, earlier) for pair in pairing.pairs]
    judged = verdicts([change.ratio for change in found])
    return [msgspec.structs.replace(change, verdict=each) for change, each in zip(found, judged, strict=True)]


def _change(pair: Pair, earlier: EarlierRuns) -> Change:
    item, base = pair.new, pair.old
    change = Change(
        configuration=item.result.configuration,
        baseline=base.result.configuration,
        machine=run_place(item.run),
        task=item.run.task,
    )
    if pair.failure:
        return msgspec.structs.replace(change, failed=True, remark=pair.failure)
    times = compare_times(item, base, earlier)
    difference, agreement = _least_accurate(item, base)
    worst = _worst_repeat(item, base)
    outputs = agreement_of_outputs(worst.run, worst.result, base.run, base.result)
    return msgspec.structs.replace(
        change,
        ratio=times.ratio,
        verdict_reliable=verdict_reliable(item, base) if times.ratio else None,
        no_interval=times.reason if times.ratio else "",
        separation=times.separation,
        accuracy_difference=difference,
        images=agreement.total if agreement else outputs.examples if outputs else 0,
        accuracy_assumed=any(each.run.accuracy_assumed for each in (*item.all_runs, *base.all_runs)),
        quality_differences=[accuracy_difference_of(difference)] if difference else _differences(worst, base),
        task_agreement=outputs,
        without_outputs=any(side.run.task != CLASSIFY and side.result.outputs is None for side in (worst, base)),
        remark=times.reason,
    )


def _least_accurate(item: RunResult, base: RunResult) -> tuple[PairedDifference | None, Agreement | None]:
    """Return the accuracy difference and agreement of the least accurate of the new Runs with the old one."""
    found = [on_the_same_images(each, base) for each in item.all_runs]
    return min(found, key=lambda each: 0.0 if each[0] is None else each[0].value)


def _worst_repeat(item: RunResult, base: RunResult) -> RunResult:
    """Return the repeat with the largest drop of the first measure, or the first repeat without a value."""

    def drop(each: RunResult) -> float:
        return next(map(_drop, _differences(each, base)), 0.0)

    return max(item.all_runs, key=drop)


def _differences(item: RunResult, base: RunResult) -> list[MeasureDifference]:
    return differences_of(item.run, item.result, base.run, base.result)


def _drop(difference: MeasureDifference) -> float:
    if difference.value is None:
        return math.inf
    return -difference.value if difference.higher_is_better else difference.value


def judge(compared: Sequence[Change], limits: Limits) -> list[Judgement]:
    """Apply each limit to each change.

    A change fails if its whole interval is beyond the limit, corrected for the number of changes (Holm 1979). For
    times, it is the 90 % interval if there are three or more Runs of each side, otherwise the 95 % interval. If no
    change is beyond the limit, the gate fails in at most 5 or 2.5 % of cases. For accuracies, it is the 95 % interval.
    A configuration of the new Run that could not be measured fails. Raise BadInput if a limit could not be judged on
    any configuration, because a gate that has checked nothing must not pass.
    """
    judgements: list[Judgement] = []
    if limits.slower is not None:
        judged = _corrected([_judge_time(change, limits.slower) for change in compared])
        judgements += [_with_runs_needed(judgement, len(judged)) for judgement in judged]
    if limits.quality is not None:
        if limits.quality_drop is None:
            _require_accuracy(compared)
        judgements += _corrected([judge_quality(change, limits.quality) for change in compared])
    for of_time in (True, False):
        group = [judgement for judgement in judgements if (judgement.quantity == TIME) == of_time]
        if group and all(judgement.outcome is Outcome.NOT_JUDGED for judgement in group):
            raise BadInput(
                f"the gate could not judge the {group[0].quantity} of any configuration: {group[0].remark}",
                remedy_for(group[0]),
            )
    return judgements


def _require_accuracy(compared: Sequence[Change]) -> None:
    for change in compared:
        if change.task not in (CLASSIFY, BINARY.name):
            raise BadInput(
                f"the task {change.task[:40]} has no accuracy to judge",
                "use --fail-if-quality-drops to limit the drop of its first measure",
            )


def _judge_time(change: Change, limit: float) -> tuple[Judgement, float]:
    """Return the judgement without correction, and the p-value of "not beyond the limit", which fails below 0.05.

    The p-value is one-sided, or twice that if the judgement uses the 95 % interval.
    """
    judgement = not_judged(change, TIME, limit)
    if change.failed:
        return msgspec.structs.replace(judgement, outcome=Outcome.FAILED, remark=change.remark), 0.0
    ratio, separation = change.ratio, change.separation
    confidence = limit_confidence(separation.runs, separation.baseline_runs) if separation else CONFIDENCE
    interval = interval_at(ratio, confidence) if ratio else None
    if ratio is None or interval is None:
        return msgspec.structs.replace(judgement, remark=change.remark or "one process, so no interval"), 1.0
    judged = msgspec.structs.replace(
        judgement,
        outcome=outcome_of(beyond=interval.low > 1 + limit, within=interval.high <= 1 + limit),
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


def _corrected(judged: Sequence[tuple[Judgement, float]]) -> list[Judgement]:
    """Return the judgements. Failures that may be chance because of the number of judgements become undecided."""
    adjusted = holm([p for _, p in judged])
    corrected = []
    for (judgement, _), p in zip(judged, adjusted, strict=True):
        by_chance = judgement.outcome is Outcome.FAILED and p >= 1 - CONFIDENCE
        corrected.append(
            msgspec.structs.replace(
                judgement,
                outcome=Outcome.UNDECIDED,
                corrected=True,
                remark=f"undecided as one of {len(judged)} judgements",
            )
            if by_chance
            else judgement
        )
    return corrected
