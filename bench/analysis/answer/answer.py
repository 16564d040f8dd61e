"""The answer to "which configuration should I use?", from a Comparison or from Runs without measurements."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.analysis.fastest.search import Search
from edge_bench.bench.analysis.quality.paired import may_be_chance
from edge_bench.bench.analysis.times.reliability import Reason
from edge_bench.bench.records.run import CLASSIFY, Configuration, Run
from edge_bench.bench.tasks.measures import MeasureDifference

__all__ = ["Answer", "AnswerKind", "answer_of", "no_answer", "within_chance"]


class AnswerKind(StrEnum):
    """The kinds of answers. docs/results.md has the first line of each."""

    FASTEST = "fastest"  # one configuration is faster than all others
    TIE = "no clear winner"  # several configurations are not slower than the fastest
    NO_INTERVAL = "no interval"  # a single process of one of the fastest, so the variation of its times is unknown
    ONE = "one configuration"
    OPEN = "not all compared"  # of --find-fastest: some may be faster, but were not in the second round
    EMULATED = "only emulated"  # no valid times, only predictions
    NOTHING = "nothing measured"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The best configurations of one or more Runs, and their reliability."""

    kind: AnswerKind
    task: str = CLASSIFY
    unit: str = "image"
    baseline: Configuration | None = None  # None: nothing was measured
    baseline_machine: str = ""
    best: list[Row] = []  # by time, the lowest first; several unless the kind is FASTEST or ONE
    spread: float | None = None  # highest time of ``best`` divided by the lowest, minus 1; None without times
    runner_up: Row | None = None  # the configuration with the lowest time that is not in ``best``
    labelled: bool = True  # whether a configuration has a measure of quality
    trusted: bool | None = None  # whether the times of all Runs are reliable; None: unknown for one
    reason: Reason | None = None  # the most important reason why they are not
    reason_machine: str = ""  # machine of that reason's Run
    unstable: int = 0  # configurations whose times vary by 10 % or more
    measured: int = 0
    configurations: int = 0  # measured and failed ones
    in_first_round: bool = False  # nothing was measured but the first round of --find-fastest
    search: Search | None = None  # of --find-fastest, if only one Run is compared


def answer_of(comparison: Comparison) -> Answer:
    """Return the answer of a comparison.

    The best configurations are those that are not significantly slower than the fastest one of all Runs
    (`bench/analysis/comparison/ranking.py`). Emulated configurations have no times. They are the best only in a
    comparison without others, and then in the order of their quality. Configurations that failed after some trials
    count only if all did.
    """
    measured = [row for row in comparison.rows if row.time]
    real = sorted((row for row in measured if not row.emulated), key=_milliseconds)
    timed = [row for row in real if not row.failed] or real
    kind, best = _kind(measured, timed)
    kind = _searched(kind, best, comparison.searches)
    emulated = {row.run_id for row in measured if row.emulated and timed}  # whose times do not count beside others
    sides = [each for each in comparison.reliability if each.measured and emulated.isdisjoint(each.run_ids)]
    reasons = [(reason, side.machine) for side in sides for reason in side.reasons]
    reason, machine = min(reasons, key=lambda each: each[0].spread, default=(None, ""))
    known = {side.trusted for side in sides}
    return Answer(
        kind=kind,
        task=comparison.task,
        unit=comparison.unit,
        baseline=comparison.baseline,
        baseline_machine=comparison.baseline_machine,
        best=best,
        spread=_milliseconds(best[-1]) / _milliseconds(best[0]) - 1 if timed else None,
        runner_up=next((row for row in timed if not any(row is each for each in best)), None),
        labelled=any(row.quality for row in measured),
        configurations=len(comparison.rows),
        trusted=False if False in known else None if None in known else True,
        reason=reason,
        reason_machine=machine if len(comparison.reliability) > 1 else "",  # also beside an emulated one
        unstable=sum(side.unstable for side in sides),
        search=comparison.searches[0] if len(comparison.searches) == len(comparison.reliability) == 1 else None,
        measured=sum(side.measured for side in sides),
    )


def no_answer(runs: Sequence[Run]) -> Answer:
    """Return the answer of Runs without any measurement."""
    results = [result for run in runs for result in run.expected_results]
    return Answer(
        kind=AnswerKind.NOTHING,
        task=runs[0].task,
        unit=runs[0].unit,
        labelled=False,
        trusted=False,
        configurations=len(results),
        in_first_round=any(result.first_round for result in results),
    )


def within_chance(row: Row, difference: MeasureDifference) -> bool | None:
    """Return whether the difference of a row's quality may be chance; None if that is unknown."""
    return may_be_chance(difference, row.accuracy_difference)


def _kind(measured: Sequence[Row], timed: Sequence[Row]) -> tuple[AnswerKind, list[Row]]:
    if not timed:
        return AnswerKind.EMULATED, sorted(measured, key=_quality, reverse=True)
    best = [row for row in timed if row.fastest]
    if len(timed) == 1:
        return AnswerKind.ONE, best
    if len(best) == 1:
        return AnswerKind.FASTEST, best
    # times without an interval cannot be compared, so they are among the best however much slower they are
    if any(row.time and row.time.interval is None for row in best):
        return AnswerKind.NO_INTERVAL, best
    return AnswerKind.TIE, best


def _searched(kind: AnswerKind, best: Sequence[Row], searches: Sequence[Search]) -> AnswerKind:
    """Return the kind of answer if the best configuration is the only one of the second round of --find-fastest."""
    search = next((each for each in searches if each.run_id == best[0].run_id), None)
    if search is None or kind not in (AnswerKind.FASTEST, AnswerKind.ONE):
        return kind
    if search.open:
        return AnswerKind.OPEN
    return AnswerKind.ONE if search.configurations == 1 else AnswerKind.FASTEST


def _milliseconds(row: Row) -> float:
    return row.time.milliseconds if row.time else float("inf")


def _quality(row: Row) -> float:
    """Return the first measure, the larger the better; the lowest value if it is unknown."""
    first = row.quality[0] if row.quality else None
    if first is None or first.value is None:
        return float("-inf")
    return first.value if first.higher_is_better else -first.value
