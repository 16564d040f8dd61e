"""A gate for anyone's CI: is this Run slower or less accurate than that one, beyond a limit and beyond doubt?"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from edge_bench.bench.analysis.comparison import on_the_same_images
from edge_bench.bench.analysis.timings import RunResult, time_ratio
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.records.run import Configuration, Run
from edge_bench.bench.stats.intervals import Interval, PairedDifference
from edge_bench.bench.stats.ratios import Ratio, Verdict, verdict

__all__ = ["Change", "Judgement", "Limits", "Outcome", "changes", "judge"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate allows; None is no limit."""

    slower: float | None = None  # share of the baseline's time: 0.05 is 5 %
    accuracy_drop: float | None = None  # percentage points

    def __bool__(self) -> bool:
        return self.slower is not None or self.accuracy_drop is not None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration, new against old."""

    configuration: Configuration
    machine: str
    ratio: Ratio | None = None  # new time over old time, an image
    verdict: Verdict | None = None
    accuracy_difference: PairedDifference | None = None  # new minus old, on the images both saw
    remark: str = ""  # why something above is missing


class Outcome(StrEnum):
    """What the interval lets the gate say."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    NOT_JUDGED = "not judged"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One limit on one configuration."""

    configuration: Configuration
    quantity: str  # time · accuracy
    outcome: Outcome
    value: float | None = None
    interval: Interval | None = None
    limit: float
    remark: str = ""


def changes(new: Sequence[Run], old: Run) -> list[Change]:
    """Every configuration of the new Runs that the old one has measured too.

    The bundles may differ, for a changed model is what a gate is for; the test set may not. Raises ResultsError where
    it does, BadInput where no configuration is in both.
    """
    for run in new:
        if run.bundle.dataset_sha256 != old.bundle.dataset_sha256:
            raise ResultsError(
                f"the Runs are of different data: {run.bundle.dataset} and {old.bundle.dataset}",
                "name a baseline that was measured on the same data",
            )
    there = {result.configuration: RunResult(old, result) for result in old.measured}
    found = [
        _change(RunResult(run, result), there[result.configuration])
        for run in new
        for result in run.results
        if result.configuration in there
    ]
    if not found:
        raise BadInput(
            "no configuration is in both the Run and its baseline",
            f"the baseline has: {'; '.join(str(configuration) for configuration in there) or 'nothing'}",
        )
    return found


def _change(item: RunResult, base: RunResult) -> Change:
    change = Change(configuration=item.result.configuration, machine=item.run.machine.label)
    if not item.result.trials:
        failure = item.result.failure
        return msgspec.structs.replace(change, remark=failure.message if failure else "not measured")
    ratio, remark = time_ratio(item, base)
    return msgspec.structs.replace(
        change,
        ratio=ratio,
        verdict=verdict(ratio) if ratio else None,
        accuracy_difference=on_the_same_images(item, base)[0],
        remark=remark if ratio is None else "",
    )


def judge(found: Sequence[Change], limits: Limits) -> list[Judgement]:
    """Each limit on each change. Failed only where the whole interval is beyond the limit.

    A configuration of the new Run that could not be measured fails: what no longer runs is no improvement. Raises
    BadInput where a limit could be judged on no configuration at all, since a gate that looks at nothing must not pass.
    """
    judgements = []
    for change in found:
        broken = change.ratio is None and change.accuracy_difference is None
        if limits.slower is not None:
            judgements.append(_time(change, limits.slower, broken=broken))
        if limits.accuracy_drop is not None:
            judgements.append(_accuracy(change, limits.accuracy_drop, broken=broken))
    for kind in dict.fromkeys(judgement.quantity for judgement in judgements):
        same = [judgement for judgement in judgements if judgement.quantity == kind]
        if all(judgement.outcome is Outcome.NOT_JUDGED for judgement in same):
            raise BadInput(
                f"the gate could judge the {kind} of no configuration: {same[0].remark}",
                "measure both Runs on real machines, with at least two processes each, on the same images",
            )
    return judgements


def _time(change: Change, limit: float, *, broken: bool) -> Judgement:
    judgement = Judgement(configuration=change.configuration, quantity="time", outcome=Outcome.NOT_JUDGED, limit=limit)
    if broken:
        return msgspec.structs.replace(judgement, outcome=Outcome.FAILED, remark=change.remark)
    if change.ratio is None or change.ratio.interval is None:
        return msgspec.structs.replace(judgement, remark=change.remark or "one process, so no interval")
    interval = change.ratio.interval
    outcome = _outcome(beyond=interval.low > 1 + limit, within=interval.high <= 1 + limit)
    return msgspec.structs.replace(judgement, outcome=outcome, value=change.ratio.value, interval=interval)


def _accuracy(change: Change, limit: float, *, broken: bool) -> Judgement:
    judgement = Judgement(
        configuration=change.configuration, quantity="accuracy", outcome=Outcome.NOT_JUDGED, limit=limit
    )
    if broken:
        return msgspec.structs.replace(judgement, outcome=Outcome.FAILED, remark=change.remark)
    difference = change.accuracy_difference
    if difference is None:
        return msgspec.structs.replace(judgement, remark="no image was classified in both Runs")
    points = Interval(100 * difference.interval.low, 100 * difference.interval.high)
    outcome = _outcome(beyond=points.high < -limit, within=points.low >= -limit)
    return msgspec.structs.replace(judgement, outcome=outcome, value=100 * difference.value, interval=points)


def _outcome(*, beyond: bool, within: bool) -> Outcome:
    if beyond:
        return Outcome.FAILED
    return Outcome.PASSED if within else Outcome.UNDECIDED
