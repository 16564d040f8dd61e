"""The time of a result compared with that of another: in the same Runs, or between separate ones."""

import math
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from edge_bench.bench.analysis.times.differences import differences
from edge_bench.bench.analysis.times.earlier_runs import NO_EARLIER_RUNS, EarlierRuns
from edge_bench.bench.analysis.times.machines import machine_key
from edge_bench.bench.analysis.times.processes import has_luck, ratio_despite_luck
from edge_bench.bench.analysis.times.timings import (
    Estimator,
    Rounds,
    RunResult,
    common_estimator,
    per_image,
    ratio_of_rounds,
    seconds_of,
)
from edge_bench.bench.stats.comparisons.separate_runs import Side, VariationSource, separate_ratio
from edge_bench.bench.stats.intervals import median
from edge_bench.bench.stats.ratios import Ratio, Verdict, unpaired_ratio, verdict

__all__ = ["ONE_PROCESS", "Separation", "TimeComparison", "compare_times", "ratio_of_times"]

#: Why a ratio has no interval.
ONE_PROCESS = "only one process, so no interval"


#: More processes than a Run can have, so that those of several Runs get different numbers.
_PROCESSES = 1 << 32


class Separation(msgspec.Struct, frozen=True, kw_only=True):
    """How two results without a common Run were compared."""

    runs: int
    baseline_runs: int
    source: VariationSource
    variation: float  # standard deviation from run to run that the interval includes, as a fraction of the time
    differences: list[str]  # between the newest Runs, such as ``governor powersave → performance``


class TimeComparison(msgspec.Struct, frozen=True, kw_only=True):
    """A ratio of times per image, and its method."""

    ratio: Ratio | None = None
    reason: str = ""  # why there is no ratio
    estimator: Estimator | None = None
    whole_pass: Ratio | None = None  # of whole passes, if ``ratio`` is of typical invocations
    slow_tail: bool = False  # whether whole passes differ only because of slow invocations
    process_luck: bool = False  # whether ``ratio`` is over processes, because those of one side have different speeds
    separation: Separation | None = None  # None if the results have Runs in common


def compare_times(item: RunResult, base: RunResult, earlier: EarlierRuns = NO_EARLIER_RUNS) -> TimeComparison:
    """Return the time per image of ``item`` divided by that of ``base``.

    Results of common Runs are compared by their interleaved trials in these Runs. Otherwise, the ratio is between
    separate Runs, and its interval includes the variation from run to run. ``earlier`` Runs help to estimate it.
    """
    if item.result is base.result:
        return TimeComparison(reason="baseline")
    if item.run.emulated or base.run.emulated:
        return TimeComparison(reason="EMULATED: no verdict on time")
    pairs = [(one, other) for one in item.all_runs for other in base.all_runs if one.run is other.run]
    estimator = common_estimator([*item.all_runs, *base.all_runs])
    if pairs:
        return _interleaved(pairs, estimator)
    sides = item.all_runs, base.all_runs
    same_machine = machine_key(item.run.machine) == machine_key(base.run.machine)
    judged = separate_ratio(*(_side(each, estimator, earlier) for each in sides), same_machine=same_machine)
    whole = None
    if estimator is Estimator.TYPICAL:
        whole = separate_ratio(
            *(_side(each, Estimator.WHOLE, earlier) for each in sides), same_machine=same_machine
        ).ratio
    tails = (per_image(each[0].mean_to_median(), 1) for each in sides)
    newest, other = (max(each, key=lambda result: result.run.began) for each in sides)
    return TimeComparison(
        ratio=judged.ratio,
        reason="" if judged.ratio.interval else ONE_PROCESS,
        estimator=estimator,
        whole_pass=whole,
        slow_tail=_slow_tail(judged.ratio, whole, lambda: unpaired_ratio(*tails)),
        separation=Separation(
            runs=len(sides[0]),
            baseline_runs=len(sides[1]),
            source=judged.source,
            variation=judged.variation,
            differences=differences(other.run, other.result, newest.run, newest.result, machine=same_machine),
        ),
    )


def ratio_of_times(item: RunResult, base: RunResult) -> Ratio | None:
    """Return only the ratio of `compare_times`; None if there is no common round."""
    pairs = [(one, other) for one in item.all_runs for other in base.all_runs if one.run is other.run]
    if not pairs or item.result is base.result:
        return compare_times(item, base).ratio
    estimator = common_estimator([*item.all_runs, *base.all_runs])
    return _ratio_over_runs([(seconds_of(one, estimator), seconds_of(other, estimator)) for one, other in pairs])


def _side(results: Sequence[RunResult], estimator: Estimator, earlier: EarlierRuns) -> Side:
    """Return the times per image of a side, with the levels of earlier Runs of the same configuration."""
    runs = [per_image(seconds_of(each, estimator), each.images) for each in results]
    return Side(runs, earlier.levels(results, typical=estimator is Estimator.TYPICAL))


def _interleaved(pairs: Sequence[tuple[RunResult, RunResult]], estimator: Estimator) -> TimeComparison:
    """Return the comparison of results of the same Runs; ``pairs`` has one pair for each Run."""

    def ratio(by: Estimator) -> Ratio | None:
        return _ratio_over_runs([(seconds_of(item, by), seconds_of(base, by)) for item, base in pairs])

    found = ratio(estimator)
    if found is None:
        return TimeComparison(reason="no round in which both were measured")
    whole = ratio(Estimator.WHOLE) if estimator is Estimator.TYPICAL else None

    def tails() -> Ratio | None:
        return _ratio_over_runs([(item.mean_to_median(), base.mean_to_median()) for item, base in pairs])

    sides = _joined([(seconds_of(item, estimator), seconds_of(base, estimator)) for item, base in pairs])
    return TimeComparison(
        ratio=found,
        reason="" if found.interval else ONE_PROCESS,
        estimator=estimator,
        whole_pass=whole,
        slow_tail=_slow_tail(found, whole, tails),
        process_luck=any(has_luck(per_image(side, 1)) for side in sides),
    )


def _slow_tail(typical: Ratio, whole: Ratio | None, tails: Callable[[], Ratio | None]) -> bool:
    """Return whether whole passes are decidedly different, typical invocations are not, and slow invocations cause it.

    Slow invocations are the cause if the means of the trials' latencies, as multiples of their medians, differ in the
    same direction. ``tails`` returns the ratio of these.
    """
    decided = (Verdict.FASTER, Verdict.SLOWER)
    if whole is None or verdict(whole) not in decided or verdict(typical) in decided:
        return False
    tail = tails()
    if tail is None or tail.interval is None:
        return False
    return tail.interval.low > 1 if whole.value > 1 else tail.interval.high < 1


def _ratio_over_runs(tables: Sequence[tuple[Rounds, Rounds]]) -> Ratio | None:
    """Return the ratio of the first to the second table, where ``tables`` has a pair for each Run."""
    return ratio_of_rounds(*_joined(tables), ratio_despite_luck)


def _joined(tables: Sequence[tuple[Rounds, Rounds]]) -> tuple[Rounds, Rounds]:
    """Return the processes of all Runs as those of one. ``tables`` has a pair for each Run.

    Processes of all Runs have the same weight. The speed of each of several Runs is removed from both of its tables, so
    that it cancels.
    """
    if len(tables) == 1:
        return tables[0]
    sides: tuple[Rounds, Rounds] = {}, {}
    for position, pair in enumerate(tables):
        speed = math.sqrt(math.prod(_median(table) for table in pair))
        for side, table in zip(sides, pair, strict=True):
            for process, rounds in table.items():
                side[position * _PROCESSES + process] = {number: each / speed for number, each in rounds.items()}
    return sides


def _median(table: Rounds) -> float:
    return median(np.array([seconds for rounds in table.values() for seconds in rounds.values()]))
