"""The outcome of --find-fastest: whether the fastest configuration is the fastest of all, and its cost in quality."""

from collections.abc import Sequence

import msgspec

from edge_bench.bench.analysis.fastest.first_round import as_first_round, candidates_of, not_slower_than, ratios_to
from edge_bench.bench.analysis.fastest.quality import QualityCost, quality_costs
from edge_bench.bench.analysis.times.compared_times import ratio_of_times
from edge_bench.bench.analysis.times.example_times import example_time
from edge_bench.bench.analysis.times.timings import RunResult, common_estimator
from edge_bench.bench.records.run import Configuration, Run
from edge_bench.bench.stats.comparisons.fastest import probability_fastest

__all__ = ["Search", "search_of"]


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What the two rounds of a Run with --find-fastest show about its fastest configuration."""

    run_id: str
    configurations: int  # of the first round that did not fail
    first_trials: int  # of each in the first round; 0 if there were too few for one
    finalists: list[Configuration]  # measured in the second round, in the order of the first
    lead: Configuration  # the lowest time of the second round
    probability: float | None  # lower bound of the probability that none is faster than ``lead``; None if it is alone
    open: list[Configuration]  # not measured in the second round although not significantly slower in the first
    cost: QualityCost  # of ``lead``
    without_loss: Configuration | None = None  # finalist with the lowest time that loses no quality, if ``lead`` does


def search_of(run: Run) -> Search | None:
    """Return the outcome; None for a Run without --find-fastest, and if nothing was measured in its second round.

    Times of the second round decide which finalist is the fastest. A configuration left out before it is excluded only
    if it was significantly slower than a finalist in the first round.
    """
    first, items = run.settings.first_round, _finished(run)
    if first is None or not items:
        return None
    estimator = common_estimator(items)
    order = sorted(items, key=lambda item: example_time(item, estimator).milliseconds)
    lead, found, numbers = order[0], candidates_of(run), set(run.finalists or ())
    left_out = [each for each in found if each.number not in numbers]
    # one that failed in the second round can exclude none
    timed = {id(item.result) for item in items}
    reference = next((each for each in found if id(run.results[each.number]) in timed), None)
    kept = not_slower_than(reference, found) if reference else []
    second = [ratio for item in order[1:] if (ratio := ratio_of_times(item, lead))]
    excluded = ratios_to(reference, left_out) if reference else []
    costs = _costs(run)
    return Search(
        run_id=run.run_id,
        configurations=len(found) or len(items),
        first_trials=first.trials if found else 0,
        finalists=[each.configuration for number in run.finalists or () if (each := run.results[number]).trials],
        lead=lead.result.configuration,
        probability=probability_fastest(second, excluded) if second or excluded else None,
        open=[run.results[each.number].configuration for each in kept if each.number not in numbers],
        cost=costs[lead.result.configuration],
        without_loss=_without_loss([item.result.configuration for item in order], costs),
    )


def _finished(run: Run) -> list[RunResult]:
    """Return the finalists with trials that have not failed, none of an emulated Run."""
    numbers = [] if run.emulated else run.finalists or ()
    results = [run.results[number] for number in numbers]
    return [RunResult(run, each) for each in results if each.trials and each.failure is None]


def _costs(run: Run) -> dict[Configuration, QualityCost]:
    """Return the quality of all configurations that have not failed, including those of the first round only."""
    brief = as_first_round(run)
    results = [
        each if each.trials else other
        for each, other in zip(run.results, brief.results, strict=True)
        if each.failure is None and (each.trials or other.trials)
    ]
    costs = quality_costs([RunResult(run, each) for each in results])
    return {each.configuration: cost for each, cost in zip(results, costs, strict=True)}


def _without_loss(order: Sequence[Configuration], costs: dict[Configuration, QualityCost]) -> Configuration | None:
    if not costs[order[0]].loses:
        return None
    return next((each for each in order if not costs[each].loses), None)
